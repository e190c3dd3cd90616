//! STUB to be replaced
use super::runtime2::P;
pub(super) fn due(_: &P) -> bool {
    false
}
pub(super) fn check(_: &P, now: i64) -> (i64, i64, bool) {
    (now, 0, false)
}
pub(super) fn wake_time(_: &P) -> i64 {
    0
}
pub(super) fn move_timers(_: &P, _: &P) {}
