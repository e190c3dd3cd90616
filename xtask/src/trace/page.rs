//! The page.
pub(crate) fn render(_: &std::path::Path, r: &super::read::Recording, m: &super::model::Model) -> String { super::json::render(r,m) }
