//! What servers may do: each limit from both sides.

use super::{LIMIT, Response};
use crate::system::http::{Client, Options, Policy, Url};
use crate::system::process::Environment;
use crate::text::error::Error;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// A server on this machine, whose answers are given their number.
fn server(answer: impl Fn(usize, TcpStream) + Send + 'static) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, mut stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let _ = stream.read(&mut [0; 4096]);
            answer(number, stream);
        }
    });
    Url::parse(&format!("http://{address}/")).unwrap()
}

/// A server that fails in this way so many times, and answers then.
fn failing(with: &'static str, times: usize) -> Url {
    server(move |at, mut stream| {
        let head = if at < times { with } else { "200 OK" };
        let _ = write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    })
}

/// A client that waits no longer than this for a byte, and for an answer.
fn client(silence: u64, whole: u64) -> Client {
    Client::new(Options {
        policy: Policy { http: ["127.0.0.1".to_owned()].into(), ..Policy::default() },
        timeout: Duration::from_secs(silence),
        whole: Duration::from_secs(whole),
        backoff: Duration::ZERO,
        cache: None,
        ..Options::new(Environment::default())
    })
}

/// A server that answers with 6,000 bytes, so many at a time, ten times a second.
fn slow(bytes: usize) -> Url {
    server(move |_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n");
        for _ in 0..6_000 / bytes {
            std::thread::sleep(Duration::from_millis(100));
            if stream.write_all(&vec![b'a'; bytes]).is_err() {
                break;
            }
        }
    })
}

fn message(answer: Result<Response, Error>) -> String {
    match answer {
        Ok(response) => format!("bytes: {}", response.body.len()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_answer_has_to_come_at_a_least_rate() {
    let get = |bytes| message(client(1, 60).get(&slow(bytes)).send());
    assert_eq!(get(300), "bytes: 6000");
    let begin = Instant::now();
    let refused = get(1);
    assert!(refused.contains("less than 1 KiB a second"), "{refused}");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

#[test]
fn a_request_is_bounded_in_time() {
    let get = |whole| message(client(20, whole).get(&slow(300)).send());
    assert_eq!(get(60), "bytes: 6000");
    let refused = get(1);
    assert!(refused.contains("no answer in time"), "{refused}");
}

#[test]
fn a_server_may_be_silent_for_so_long() {
    let get = |pause, silence| {
        let url = server(move |_, mut stream| {
            std::thread::sleep(Duration::from_millis(pause));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
        });
        message(client(silence, 60).get(&url).send())
    };
    assert_eq!(get(500, 20), "bytes: 1");
    let refused = get(3_000, 1);
    assert!(refused.contains("no answer in time"), "{refused}");
}

#[test]
fn redirects_and_attempts_are_counted() {
    let get = |url| message(client(20, 60).get(&url).send());
    let redirected = |times| get(failing("302 Found\r\nLocation: /next", times));
    assert_eq!(redirected(5), "bytes: 0");
    assert!(redirected(6).contains("too many redirects"));
    let failed = |times| get(failing("503 Service Unavailable", times));
    assert_eq!(failed(3), "bytes: 0");
    assert!(failed(4).contains("status 503"));
}

#[test]
fn an_answer_is_bounded() {
    let url = server(|_, mut stream| {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
        let _ = write!(stream, "{head}abcde");
    });
    let client = client(20, 60);
    assert_eq!(message(client.get(&url).limit(5).send()), "bytes: 5");
    let refused = message(client.get(&url).limit(4).send());
    assert!(refused.contains("more than 4 bytes"), "{refused}");
    assert_eq!(client.get(&url).limit, LIMIT);
}
