//! The HTTP side against servers on the loopback, well-behaved and not.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod server;

use comptoir_kit::auth::{Auth, Login, OAuth1, Session, Ticket};
use comptoir_kit::http::{Answer, Call, Http, HttpMaker, HttpOptions, Method, Priority};
use comptoir_kit::secret::Secret;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use server::{Reply, Server};
use std::time::{Duration, Instant};

fn open(address: &str, options: HttpOptions) -> Http {
    HttpMaker::network("shop".parse().unwrap())
        .open(address, options)
        .unwrap()
}

fn plain(server: &Server) -> Http {
    open(&server.address, HttpOptions::default())
}

fn read() -> Call {
    Call::get("thing.read", "thing")
}

fn write() -> Call {
    Call::post("thing.write", "thing").body("application/json", b"{}".to_vec())
}

async fn fault(http: &Http, call: Call) -> (Next, Code) {
    let fault = http.send(call).await.unwrap_err();
    (fault.next, fault.code)
}

const LATER: Next = Next::Later { after: None };

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    let server = Server::start(|request| {
        assert_eq!(request.line, "GET /api/thing?a=%C3%A9%20%26&b=1 HTTP/1.1");
        Reply::new(500)
            .header("X-Odd", "1")
            .body("\u{feff}{\"a\":1}")
    })
    .await;
    let http = open(&format!("{}/api/", server.address), HttpOptions::default());
    let call = read().query("a", "é &").query("b", 1);
    let answer = http.send(call).await.unwrap();
    assert_eq!((answer.status, answer.header("x-odd")), (500, Some("1")));
    let value: serde_json::Value = answer.json().unwrap();
    assert_eq!(value["a"], 1);
    let counter = http.counters()["thing.read"];
    assert_eq!((counter.calls, counter.lost, counter.received), (1, 0, 10));
}

#[tokio::test]
async fn no_connection_means_not_sent_for_reads_and_writes() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let http = open(&closed, HttpOptions::default());
    assert_eq!(fault(&http, read()).await, (LATER, Code::Unreachable));
    assert_eq!(fault(&http, write()).await, (LATER, Code::Unreachable));
    let nowhere = open("http://no-such-host.invalid", HttpOptions::default());
    assert_eq!(fault(&nowhere, write()).await, (LATER, Code::Unreachable));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_for_a_write_only() {
    let cases = [
        (Reply::Hang, Code::TimedOut),
        (Reply::Hangup, Code::AnswerCut),
        (
            Reply::Raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"),
            Code::AnswerCut,
        ),
        (
            Reply::Raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n"),
            Code::AnswerCut,
        ),
        (Reply::Raw("this is not HTTP\r\n\r\n"), Code::AnswerCut),
        (
            Reply::Raw(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
            ),
            Code::AnswerCut,
        ),
    ];
    for (reply, code) in cases {
        let server = Server::start(move |_| reply.clone()).await;
        let http = plain(&server);
        // Only the silent server is waited for until the end.
        let limit = Duration::from_millis(if code == Code::TimedOut { 300 } else { 20_000 });
        assert_eq!(
            fault(&http, write().deadline(limit)).await,
            (Next::Unknown, code)
        );
        assert_eq!(fault(&http, read().deadline(limit)).await, (LATER, code));
        let reading = write().reading().deadline(limit);
        assert_eq!(
            fault(&http, reading).await,
            (LATER, code),
            "a POST that reads"
        );
        assert_eq!(server.count(), 3, "nothing is tried twice ({code})");
    }
}

#[tokio::test]
async fn a_write_whose_answer_is_not_understood_may_have_been_done() {
    let server = Server::start(|_| Reply::new(200).body("<html>done?</html>")).await;
    let http = plain(&server);
    let answer = http.send(write()).await.unwrap();
    let fault = answer.json::<serde_json::Value>().unwrap_err();
    assert_eq!(
        (fault.next, fault.code),
        (Next::Unknown, Code::NotUnderstood)
    );
    let answer = http.send(read()).await.unwrap();
    let fault = answer.json::<serde_json::Value>().unwrap_err();
    assert_eq!(fault.next, Next::Bug);
}

#[tokio::test]
async fn sizes_are_limited_while_streaming() {
    let options = HttpOptions {
        answer_limit: 1000,
        request_limit: 10,
        ..HttpOptions::default()
    };
    // Declared too long, and never sent: it must fail on the length alone.
    let declared = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n";
    for reply in [Reply::Endless, Reply::RawOpen(declared)] {
        let server = Server::start(move |_| reply.clone()).await;
        let http = open(&server.address, options.clone());
        assert_eq!(fault(&http, read()).await, (Next::Refused, Code::TooLarge));
        assert_eq!(fault(&http, write()).await, (Next::Unknown, Code::TooLarge));
        let large = write().body("text/plain", vec![b'x'; 11]);
        assert_eq!(fault(&http, large).await, (Next::Refused, Code::TooLarge));
        assert_eq!(server.count(), 2, "a request that is too large is not sent");
    }
}

/// gzip of `{"a":1}`.
const SMALL: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00\x00";

/// gzip of 100,000 zeros.
const BOMB: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\x4a\xeb\x9f\xce\x1a\x1e\x40\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xaf\x06\x85\xc2\x4d\xc5\xa0\x86\x01\x00";

#[tokio::test]
async fn gzip_is_read_and_counted_uncompressed() {
    let server = Server::start(|_| Reply::Gzip(SMALL)).await;
    let answer = plain(&server).send(read()).await.unwrap();
    assert_eq!(answer.text(), "{\"a\":1}");
    let requests = server.requests();
    assert_eq!(requests[0].header("accept-encoding"), Some("gzip"));
    let server = Server::start(|_| Reply::Gzip(BOMB)).await;
    let options = HttpOptions {
        answer_limit: 50_000,
        ..HttpOptions::default()
    };
    let http = open(&server.address, options);
    assert_eq!(fault(&http, read()).await, (Next::Refused, Code::TooLarge));
}

#[tokio::test]
async fn a_write_that_was_redirected_after_the_fact_may_have_been_done() {
    let other = "http://other.example/";
    for (status, location, next) in [
        (303, other, Next::Unknown),
        (302, "/thanks", Next::Unknown),
        (302, other, Next::Locked),
        (301, "/thing/", Next::Locked),
        (308, other, Next::Locked),
    ] {
        let server = Server::start(move |_| Reply::new(status).header("Location", location)).await;
        let http = plain(&server);
        assert_eq!(
            fault(&http, write()).await,
            (next, Code::Redirected),
            "{status}"
        );
        assert_eq!(fault(&http, read()).await, (Next::Locked, Code::Redirected));
    }
}

#[tokio::test]
async fn a_redirect_is_refused_naming_the_host_only() {
    let server = Server::start(|_| {
        Reply::new(301).header("Location", "https://www.shop.example/login?token=hush")
    })
    .await;
    let fault = plain(&server).send(read()).await.unwrap_err();
    assert_eq!((fault.next, fault.code), (Next::Locked, Code::Redirected));
    assert!(
        fault.why.ends_with("redirects to https://www.shop.example"),
        "{fault}"
    );
    assert_eq!(server.count(), 1);
    let server = Server::start(|_| Reply::new(302).header("Location", "/web/login")).await;
    let fault = plain(&server).send(read()).await.unwrap_err();
    assert!(
        fault.why.ends_with("another path of the same site"),
        "{fault}"
    );
}

#[tokio::test]
async fn connections_are_kept_alive() {
    let server = Server::start(|_| Reply::new(200).body("{}")).await;
    let http = plain(&server);
    for _ in 0..10 {
        http.send(read()).await.unwrap();
        // The connection is put back by a task of its own.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        server.connections() <= 2,
        "{} connections",
        server.connections()
    );
}

#[tokio::test]
async fn retry_after_lets_the_account_rest_without_further_calls() {
    for (status, header) in [
        (429, "120"),
        (503, "120"),
        (503, "Tue, 24 Nov 2026 12:02:00 GMT"),
    ] {
        let server = Server::start(move |_| {
            Reply::new(status)
                .header("Retry-After", header)
                .header("Date", "Tue, 24 Nov 2026 12:00:00 GMT")
        })
        .await;
        let http = plain(&server);
        assert_eq!(http.rests(), None);
        let answer = http.send(read()).await.unwrap();
        assert_eq!(answer.retry_after(), Some(Duration::from_secs(120)));
        let rests = http.rests().unwrap();
        assert!(rests > Duration::from_secs(118) && rests <= Duration::from_secs(120));
        let began = Instant::now();
        let fault = http.send(write()).await.unwrap_err();
        assert_eq!(fault.code, Code::TooManyRequests);
        let Next::Later { after: Some(after) } = fault.next else {
            panic!("{fault:?}");
        };
        assert!(after > Duration::from_secs(118), "{after:?}");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "it is told at once"
        );
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_short_rest_is_waited_for() {
    let server = Server::start(|_| Reply::new(200).body("{}")).await;
    let http = plain(&server);
    http.throttled(Some(Duration::from_millis(200)));
    let began = Instant::now();
    http.send(read()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_spent_budget_lets_the_account_rest() {
    let cases: [&[(&str, &str)]; 3] = [
        &[("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "30")],
        &[("RateLimit-Remaining", "0"), ("RateLimit-Reset", "30")],
        &[
            ("X-Rate-Limit-Requests-Left", "0"),
            ("X-Rate-Limit-Time-Reset-Ms", "30000"),
        ],
    ];
    for headers in cases {
        let server = Server::start(move |_| {
            let reply = Reply::new(200);
            headers
                .iter()
                .fold(reply, |reply, (name, value)| reply.header(name, value))
        })
        .await;
        let http = plain(&server);
        http.send(read()).await.unwrap();
        assert!(
            http.rests().unwrap() > Duration::from_secs(28),
            "{headers:?}"
        );
    }
    let epoch = (jiff::Timestamp::now().as_second() + 30).to_string();
    let server = Server::start(move |_| {
        Reply::new(200)
            .header("X-RateLimit-Remaining", "0")
            .header("X-RateLimit-Reset", &epoch)
    })
    .await;
    let http = plain(&server);
    http.send(read()).await.unwrap();
    let rests = http.rests().unwrap();
    assert!(
        rests > Duration::from_secs(27) && rests <= Duration::from_secs(31),
        "{rests:?}"
    );
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_there_are_slots() {
    let server = Server::start(|_| Reply::Slow(Duration::from_millis(40))).await;
    let options = HttpOptions {
        slots: 3,
        ..HttpOptions::default()
    };
    let http = open(&server.address, options);
    let calls = (0..12).map(|_| {
        let http = http.clone();
        tokio::spawn(async move { http.send(read()).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!((server.count(), server.most_at_once()), (12, 3));
}

#[tokio::test]
async fn orders_go_before_the_catalogue() {
    // The first holds the only slot until all others wait.
    let server = Server::start(|request| match request.path().as_str() {
        "/first" => Reply::Slow(Duration::from_millis(500)),
        _ => Reply::new(200),
    })
    .await;
    let options = HttpOptions {
        slots: 1,
        ..HttpOptions::default()
    };
    let http = open(&server.address, options);
    let mut calls = Vec::new();
    for (path, priority) in [
        ("first", Priority::Catalogue),
        ("catalogue", Priority::Catalogue),
        ("stock", Priority::Stock),
        ("shipments", Priority::Shipments),
        ("orders-1", Priority::Orders),
        ("orders-2", Priority::Orders),
    ] {
        let http = http.clone();
        let call = Call::get("t", path).priority(priority);
        calls.push(tokio::spawn(async move { http.send(call).await }));
        // Each must be in the queue before the next comes.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let order = [
        "first",
        "orders-1",
        "orders-2",
        "shipments",
        "stock",
        "catalogue",
    ];
    assert_eq!(server.paths(), order.map(|path| format!("/{path}")));
}

#[tokio::test]
async fn a_call_waits_for_a_slot_at_most_half_its_deadline() {
    let server = Server::start(|_| Reply::Slow(Duration::from_secs(30))).await;
    let options = HttpOptions {
        slots: 1,
        ..HttpOptions::default()
    };
    let http = open(&server.address, options);
    let busy = http.clone();
    let blocker = tokio::spawn(async move { busy.send(read()).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    let waiting = write().deadline(Duration::from_secs(2));
    assert_eq!(fault(&http, waiting).await, (LATER, Code::TooManyRequests));
    assert!(began.elapsed() < Duration::from_millis(1_900));
    assert_eq!(
        server.count(),
        1,
        "it was never sent, so a write is not unknown"
    );
    // A cancelled call gives its slot back.
    blocker.abort();
    let _ = blocker.await;
    let call = read().deadline(Duration::from_secs(2));
    assert_eq!(fault(&http, call).await, (LATER, Code::TimedOut));
    assert_eq!(server.count(), 2);
}

struct Cookie;

#[async_trait::async_trait]
impl Login for Cookie {
    async fn login(&self, http: &Http) -> Result<Ticket, Fault> {
        let answer = http.send(Call::post("login", "login").reading()).await?;
        Ok(vec![("cookie".to_owned(), Secret::new(answer.text()))])
    }

    fn is_over(&self, answer: &Answer) -> bool {
        answer.status == 401
    }
}

#[tokio::test]
async fn a_session_logs_in_once_and_once_more_when_it_is_over() {
    let logins = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |request| {
        use std::sync::atomic::Ordering::SeqCst;
        if request.line.starts_with("POST /login") {
            return Reply::new(200).body(&format!("sid={}", logins.fetch_add(1, SeqCst) + 1));
        }
        // The first session is over before it is used.
        match request.header("cookie") {
            Some("sid=2") => Reply::new(200).body("{}"),
            _ => Reply::new(401),
        }
    })
    .await;
    let session = std::sync::Arc::new(Session::new(plain(&server), Cookie));
    let calls = (0..4).map(|_| {
        let session = session.clone();
        tokio::spawn(async move { session.send(read()).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap().status, 200);
    }
    assert_eq!(session.http().counters()["login"].calls, 2);
}

#[tokio::test]
async fn a_session_that_is_refused_again_is_not_tried_for_ever() {
    let server = Server::start(|request| match request.line.starts_with("POST /login") {
        true => Reply::new(200).body("sid=1"),
        false => Reply::new(401),
    })
    .await;
    let session = Session::new(plain(&server), Cookie);
    assert_eq!(session.send(read()).await.unwrap().status, 401);
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn each_auth_is_on_the_wire() {
    let server = Server::start(|_| Reply::new(200)).await;
    let auths = [
        Auth::Basic {
            user: "ck".to_owned(),
            password: Secret::new("cs"),
        },
        Auth::Bearer(Secret::new("tok")),
        Auth::Header {
            name: "DOLAPIKEY".to_owned(),
            value: Secret::new("dk"),
        },
        Auth::Query(vec![("consumer_key".to_owned(), Secret::new("ck&1"))]),
    ];
    for auth in auths {
        let options = HttpOptions {
            auth,
            ..HttpOptions::default()
        };
        open(&server.address, options).send(read()).await.unwrap();
    }
    let requests = server.requests();
    assert_eq!(requests[0].header("authorization"), Some("Basic Y2s6Y3M="));
    assert_eq!(requests[1].header("authorization"), Some("Bearer tok"));
    assert_eq!(requests[2].header("dolapikey"), Some("dk"));
    assert_eq!(requests[3].line, "GET /thing?consumer_key=ck%261 HTTP/1.1");
}

#[tokio::test]
async fn oauth_signs_every_send_anew() {
    let server = Server::start(|_| Reply::new(200)).await;
    let options = HttpOptions {
        auth: Auth::OAuth1(OAuth1::one_legged("ck", Secret::new("cs"))),
        ..HttpOptions::default()
    };
    let http = open(&server.address, options);
    for _ in 0..2 {
        http.send(read().query("page", 2)).await.unwrap();
    }
    let paths = server.paths();
    assert!(
        paths[0].starts_with("/thing?page=2&oauth_consumer_key=ck&"),
        "{}",
        paths[0]
    );
    assert!(paths[0].contains("&oauth_signature="));
    let nonce = |path: &str| {
        let start = path.find("oauth_nonce=").unwrap();
        path[start..].split('&').next().unwrap().to_owned()
    };
    assert_ne!(nonce(&paths[0]), nonce(&paths[1]));
}

#[tokio::test]
async fn logs_hold_the_path_and_neither_query_headers_nor_bodies() {
    use comptoir_kit::contract::LogCapture;
    use tracing::instrument::WithSubscriber;
    let server =
        Server::start(|_| Reply::new(200).body("{\"email\":\"guest@example.test\"}")).await;
    let options = HttpOptions {
        auth: Auth::Query(vec![("consumer_secret".to_owned(), Secret::new("cs_hush"))]),
        ..HttpOptions::default()
    };
    let http = open(&server.address, options);
    let log = LogCapture::default();
    let call = Call::new("orders.write", Method::Put, "orders/1042")
        .query("search", "private-words")
        .header("x-key", "key_hush")
        .body("application/json", b"{\"name\":\"Ann\"}".to_vec());
    http.send(call).with_subscriber(log.clone()).await.unwrap();
    let text = log.text();
    for held in [
        "connection=shop",
        "orders.write",
        "/orders/1042",
        "status=200",
        "PUT",
    ] {
        assert!(text.contains(held), "{held} not in {text}");
    }
    for hidden in [
        "cs_hush",
        "key_hush",
        "private-words",
        "Ann",
        "guest@",
        "consumer_secret",
    ] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
}
