// A server: requests, a ticker, and a channel that tells it to stop.

use both::channel::{self, Receiver, Sender, select};
use std::collections::HashMap;
use std::thread;
use std::time::Duration;

enum Request {
    Put(String, i64),
    Get(String, Sender<Option<i64>>),
    Sum(Sender<i64>),
}

#[derive(Debug, Default)]
struct Statistics {
    requests: usize,
    misses: usize,
}

fn serve(requests: Receiver<Request>, stop: Receiver<()>) -> Statistics {
    let mut table = HashMap::new();
    let mut statistics = Statistics::default();
    let ticker = channel::tick(Duration::from_millis(1));
    let mut ticks = 0u64;
    loop {
        select! {
            recv(requests) -> request => {
                let Ok(request) = request else { break };
                statistics.requests += 1;
                match request {
                    Request::Put(name, value) => _ = table.insert(name, value),
                    Request::Get(name, answer) => {
                        let value = table.get(&name).copied();
                        statistics.misses += usize::from(value.is_none());
                        let _ = answer.send(value);
                    }
                    Request::Sum(answer) => _ = answer.send(table.values().sum()),
                }
            }
            recv(ticker) -> _ => ticks += 1,
            recv(stop) -> _ => break,
        }
    }
    assert!(ticks < u64::MAX);
    statistics
}

fn main() {
    let (requests, queue) = channel::bounded(8);
    let (stop, stopped) = channel::bounded::<()>(0);
    let server = thread::spawn(move || serve(queue, stopped));

    let clients: Vec<_> = (0..5i64)
        .map(|number| {
            let requests = requests.clone();
            thread::spawn(move || {
                for step in 0..20 {
                    let name = format!("{number}/{step}");
                    requests
                        .send(Request::Put(name.clone(), number * step))
                        .unwrap();
                    let (answer, value) = channel::bounded(1);
                    requests.send(Request::Get(name, answer)).unwrap();
                    assert_eq!(value.recv(), Ok(Some(number * step)));
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    let (answer, value) = channel::bounded(0);
    requests.send(Request::Sum(answer)).unwrap();
    println!("sum {}", value.recv().unwrap());
    let (answer, value) = channel::bounded(0);
    requests
        .send(Request::Get("nobody".into(), answer))
        .unwrap();
    println!("missing {:?}", value.recv().unwrap());
    drop(stop);
    println!("{:?}", server.join().unwrap());
    println!("{}", requests.send(Request::Put(String::new(), 0)).is_err());
}
