//! Names around the macro, and those in it.

use gort::channel::{bounded, select, unbounded};

/// A module without a prelude.
mod bare {
    #![no_implicit_prelude]

    /// Takes a message, if there is one.
    pub(crate) fn take(receiver: &::gort::channel::Receiver<i32>) -> ::core::option::Option<i32> {
        let sender = ::gort::channel::never::<()>();
        ::gort::channel::select! {
            recv(receiver) -> message => message.ok(),
            recv(sender) -> _ => ::core::option::Option::None,
            default => ::core::option::Option::None,
        }
    }
}

gort_test::test_module! {
    fn names_of_ours_are_not_the_macros() {
        // Those that stand in the macro.
        let (channel, selected) = bounded(4);
        let (result, index) = (1, 2);
        select! {
            send(channel, result + index) -> r => r.unwrap(),
            recv(selected) -> _ => unreachable!(),
        }
        select! {
            send(channel, { let channel = 2; channel * 2 }) -> result => result.unwrap(),
            default => unreachable!("{index}"),
        }
        select! { recv(selected) -> channel => assert_eq!((channel, result), (Ok(3), 1)) }
        select! { recv(selected) -> selected => assert_eq!(selected, Ok(4)), default => {} }
        assert_eq!((selected.len(), channel.len(), result, index), (0, 0, 1, 2));
    }

    fn a_message_may_be_called_as_its_channel() {
        let (message, receiver) = unbounded();
        let number = 5;
        select! {
            send(message, number) -> number => assert_eq!(number, Ok(())),
            recv(receiver) -> message => assert_eq!(message, Ok(number)),
        }
        let (_, receiver) = unbounded::<i32>();
        select! { recv(receiver) -> receiver => assert!(receiver.is_err()) }
    }

    fn names_of_the_prelude_may_be_others() {
        #[allow(dead_code, reason = "it is here for its name")]
        #[derive(Debug)]
        enum Mine {
            Ok,
            Err,
            Some,
            None,
        }
        use Mine::{Err, None, Ok, Some};
        #[allow(dead_code, reason = "it is here for its name")]
        struct Receiver;
        #[allow(dead_code, reason = "it is here for its name")]
        struct Sender;
        #[allow(unused_macros, reason = "it is here for its name")]
        macro_rules! unreachable {
            () => {
                compile_error!("not this one")
            };
        }
        let all = [Ok, Err, Some, None];
        let (sender, receiver) = unbounded();
        select! {
            send(sender, all) -> result => result.unwrap(),
            recv(receiver) -> _ => {}
            default => panic!(),
        }
        let mine = select! { recv(receiver) -> message => message.unwrap(), default => panic!() };
        assert_eq!(mine.len(), 4);
    }

    fn it_needs_no_prelude() {
        let (sender, receiver) = unbounded();
        assert_eq!(bare::take(&receiver), None);
        sender.send(3).unwrap();
        assert_eq!(bare::take(&receiver), Some(3));
    }

    fn by_any_path() {
        let (_sender, receiver) = unbounded::<i32>();
        gort::select! { recv(receiver) -> _ => {} default => {} }
        gort::select_biased! { recv(receiver) -> _ => {} default => {} }
        gort::channel::select! { recv(receiver) -> _ => {} default => {} }
        gort::channel::select_biased! { recv(receiver) -> _ => {} default => {} }
    }

    fn from_a_macro_of_the_users() {
        macro_rules! first {
            ($($name:ident),*; $default:expr) => {
                select! {
                    $(recv($name) -> message => message.unwrap(),)*
                    default => $default,
                }
            };
        }
        let ((to_left, left), (_to_right, right)) = (unbounded(), unbounded());
        assert_eq!(first!(left, right; 1), 1);
        to_left.send(2).unwrap();
        assert_eq!(first!(left, right; 1), 2);
    }
}
