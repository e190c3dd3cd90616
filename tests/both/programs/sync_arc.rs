// Shared ownership, over threads and within one.

use std::cell::RefCell;
use std::rc::{self, Rc};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

#[derive(Debug)]
struct Node {
    name: String,
    parent: RefCell<rc::Weak<Node>>,
    children: RefCell<Vec<Rc<Node>>>,
}

impl Node {
    fn new(name: &str) -> Rc<Self> {
        Rc::new(Self {
            name: name.into(),
            parent: RefCell::default(),
            children: RefCell::default(),
        })
    }

    fn adopt(self: &Rc<Self>, child: Rc<Node>) {
        *child.parent.borrow_mut() = Rc::downgrade(self);
        self.children.borrow_mut().push(child);
    }

    fn path(&self) -> String {
        match self.parent.borrow().upgrade() {
            Some(parent) => format!("{}/{}", parent.path(), self.name),
            None => self.name.clone(),
        }
    }
}

fn main() {
    let root = Node::new("root");
    let (left, right) = (Node::new("left"), Node::new("right"));
    left.adopt(Node::new("leaf"));
    root.adopt(Rc::clone(&left));
    root.adopt(right);
    println!("{}", left.children.borrow()[0].path());
    println!("{} {}", Rc::strong_count(&left), Rc::weak_count(&left));
    drop(root);
    println!(
        "{} {}",
        left.children.borrow()[0].path(),
        left.parent.borrow().upgrade().is_none()
    );

    let shared = Arc::new(Mutex::new(Vec::new()));
    let weak: Weak<Mutex<Vec<usize>>> = Arc::downgrade(&shared);
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.lock().unwrap().push(number))
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    println!(
        "{} {}",
        Arc::strong_count(&shared),
        Arc::weak_count(&shared)
    );
    let mut numbers = Arc::try_unwrap(shared).unwrap().into_inner().unwrap();
    numbers.sort();
    println!("{numbers:?} {}", weak.upgrade().is_none());

    let mut text: Arc<str> = Arc::from("shared text");
    let other = text.clone();
    println!("{} {}", Arc::ptr_eq(&text, &other), text == other);
    text = text.to_uppercase().into();
    println!("{text} {other}");
    let mut slice: Arc<[i32]> = (1..=5).collect();
    Arc::get_mut(&mut slice).unwrap()[0] = 10;
    let kept = Arc::clone(&slice);
    println!("{:?}", Arc::get_mut(&mut slice));
    Arc::make_mut(&mut slice)[1] = 20;
    println!("{slice:?} {kept:?}");

    let cyclic = Arc::new_cyclic(|me: &Weak<(u8, Weak<u8>)>| {
        println!("{}", me.upgrade().is_none());
        (1, Weak::new())
    });
    println!("{} {:?}", cyclic.0, cyclic.1.upgrade());
    let any: Arc<dyn std::any::Any + Send + Sync> = Arc::new(5u32);
    println!("{:?}", any.downcast::<u32>());
}
