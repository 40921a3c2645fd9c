use super::*;

fn request(text: &[u8], how: &RequestOut<'_>) -> Result<(Request, String, usize), BadHead> {
    let mut head = text.to_vec();
    let mut fields = Fields::new();
    match Request::parse(&mut head, &mut fields) {
        Parsed::Whole(request, len) => {
            let mut out = Vec::new();
            request.write(&head, &fields, how, &mut out);
            Ok((request, String::from_utf8_lossy(&out).into_owned(), len))
        }
        Parsed::Bad(why) => Err(why),
        Parsed::Partial => panic!("partial: {:?}", String::from_utf8_lossy(text)),
    }
}

const PLAIN: RequestOut<'static> = RequestOut {
    forwarded_for: None,
    persistence: Persistence::Default,
};

fn bad(text: &[u8]) -> BadHead {
    match request(text, &PLAIN) {
        Err(why) => why,
        Ok((_, out, _)) => panic!("accepted {:?} as {out:?}", String::from_utf8_lossy(text)),
    }
}

#[test]
fn a_request_goes_out_as_haproxy_sends_it() {
    let how = RequestOut {
        forwarded_for: Some((b"x-forwarded-for", b"127.0.0.1")),
        persistence: Persistence::Close,
    };
    let text = b"\r\nGET /a?b=c HTTP/1.1\r\nHost: Ex.com\r\nUser-Agent:  t  \r\nX-CamelCase:v\r\nEmpty:\r\n\
        Connection: Keep-Alive, X-Foo\r\nTE: gzip, trailers\r\n\r\nrest";
    let (parsed, out, len) = request(text, &how).expect("a good request");
    assert_eq!(
        out,
        "GET /a?b=c HTTP/1.1\r\nhost: Ex.com\r\nuser-agent: t\r\nx-camelcase: v\r\nempty: \r\n\
         connection: X-Foo\r\nte: trailers\r\nx-forwarded-for: 127.0.0.1\r\nconnection: close\r\n\r\n"
    );
    assert_eq!(len, text.len() - 4);
    assert_eq!(parsed.framing, Framing::None);
    assert!(!parsed.wants_close());
}

#[test]
fn what_is_accepted_is_normalised() {
    let ok = |text: &[u8]| request(text, &PLAIN).expect("accepted").1;
    assert_eq!(
        ok(b"GET\t /x  HTTP/1.1\nA: b\n\n"),
        "GET /x HTTP/1.1\r\na: b\r\n\r\n"
    );
    assert_eq!(ok(b"GET / HTTP/3.0\r\n\r\n"), "GET / HTTP/1.1\r\n\r\n");
    assert_eq!(
        ok(b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\tddd\r\n\r\n"),
        "GET / HTTP/1.1\r\na: b   c  \tddd\r\n\r\n"
    );
    assert_eq!(
        ok(b"POST / HTTP/1.1\r\nContent-Length: 3, 3\r\ncontent-length: 3\r\nHost: a\r\nhost: a\r\n\r\n"),
        "POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: a\r\n\r\n"
    );
    assert_eq!(
        ok(b"POST http://a.b/x HTTP/1.1\r\nHost: A.b:80\r\nTransfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n"),
        "POST http://a.b/x HTTP/1.1\r\nhost: A.b:80\r\ntransfer-encoding: Chunked\r\n\r\n"
    );
}

#[test]
fn both_framings_at_once_cost_the_connection() {
    let text = b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (parsed, ..) = request(text, &PLAIN).expect("accepted");
    assert_eq!(
        (parsed.framing, parsed.wants_close()),
        (Framing::Chunked, true)
    );
}

#[test]
fn what_is_refused() {
    let heads: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n: v\r\n\r\n",
        b"GET / HTTP/1.1\r\nA(b: v\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\0c\r\n\r\n",
        b" GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n a: b\r\n\r\n",
        b"GET /a b HTTP/1.1\r\n\r\n",
        b"GET HTTP/1.1\r\n\r\n",
        b"G@T / HTTP/1.1\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / HTTX/1.1\r\n\r\n",
        b"GET / http/1.1\r\n\r\n",
        b"GET / HTTP/1.1 \r\n\r\n",
        b"GET /\xc3 HTTP/1.1\r\n\r\n",
        b"GET x HTTP/1.1\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    ];
    for head in heads {
        assert_eq!(
            bad(head),
            BadHead::Syntax,
            "{:?}",
            String::from_utf8_lossy(head)
        );
    }
    assert_eq!(
        bad(b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        BadHead::TransferCoding
    );
    let many = [
        b"GET / HTTP/1.1\r\n".to_vec(),
        b"a: b\r\n".repeat(102),
        b"\r\n".to_vec(),
    ]
    .concat();
    assert_eq!(bad(&many), BadHead::Syntax);
}

#[test]
fn garbage_is_refused_before_its_line_ends() {
    let mut fields = Fields::new();
    for text in [&b"\x16\x03\x01"[..], b"G@", b"GET /\xff"] {
        let parsed = Request::parse(&mut text.to_vec(), &mut fields);
        assert!(matches!(parsed, Parsed::Bad(_)), "{text:?}");
    }
    for text in [
        &b""[..],
        b"\r",
        b"G",
        b"GET ",
        b"GET /x HTTP/1.1\r",
        b"GET / HTTP/1.1\r\na: b\r\n",
    ] {
        let parsed = Request::parse(&mut text.to_vec(), &mut fields);
        assert!(matches!(parsed, Parsed::Partial), "{text:?}");
    }
}

fn response(text: &[u8], method: Method) -> Result<(Response, String), BadHead> {
    placed(text, method, Persistence::Default).map(|(response, out, _)| (response, out))
}

/// The head as it goes out, and from where.
fn placed(
    text: &[u8],
    method: Method,
    persistence: Persistence,
) -> Result<(Response, String, Place), BadHead> {
    let mut head = text.to_vec();
    let mut fields = Fields::new();
    match Response::parse(&mut head, method, &mut fields) {
        Parsed::Whole(response, len) => {
            let (head, mut out) = (&head[..len], Vec::new());
            let place = response.write(head, &fields, &ResponseOut { persistence }, &mut out);
            if place == Place::Input {
                assert_eq!(out, b"", "{:?}", String::from_utf8_lossy(text));
                out.extend_from_slice(head);
            }
            Ok((response, String::from_utf8_lossy(&out).into_owned(), place))
        }
        Parsed::Bad(why) => Err(why),
        Parsed::Partial => panic!("partial: {:?}", String::from_utf8_lossy(text)),
    }
}

#[test]
fn a_head_that_needs_no_change_but_lower_case_stays_where_it_came() {
    let usual = "HTTP/1.1 200 OK\r\nserver: O\r\nx-empty: \r\ncontent-length: 3\r\n\r\n";
    let placed = |text: &str, persistence| {
        let (_, out, place) = placed(text.as_bytes(), Method::Get, persistence).expect("good");
        (out, place)
    };
    let came = "HTTP/1.1 200 OK\r\nServer: O\r\nX-Empty: \r\nContent-Length: 3\r\n\r\nAbc";
    let stays = (usual.to_owned(), Place::Input);
    assert_eq!(placed(came, Persistence::Default), stays);
    let closed = usual.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    assert_eq!(placed(usual, Persistence::Close), (closed, Place::Output));
    for (from, to) in [
        ("server", "connection: close\r\nserver"),
        ("3\r\n", "3\r\nconnection: close\r\n"),
        ("O\r\n", " O \n"),
        ("200 OK", " 200 OK"),
        ("3\r\n\r\n", "3\r\n\n"),
        ("HTTP", "\r\nHTTP"),
    ] {
        let text = usual.replacen(from, to, 1);
        let moved = (usual.to_owned(), Place::Output);
        assert_eq!(placed(&text, Persistence::Default), moved, "{text:?}");
    }
}

#[test]
fn responses() {
    let (ok, out) = response(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n",
        Method::Get,
    )
    .expect("good");
    assert_eq!(out, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n");
    assert_eq!((ok.framing, ok.keeps_alive()), (Framing::Length(2), true));
    let (_, out) = response(b"HTTP/1.1 200\r\n\r\n", Method::Get).expect("good");
    assert_eq!(out, "HTTP/1.1 200 \r\n\r\n");
    let (ok, out) = response(
        b"HTTP/1.1 204 No\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        Method::Get,
    )
    .expect("good");
    assert_eq!(
        (out.as_str(), ok.framing),
        ("HTTP/1.1 204 No\r\n\r\n", Framing::None)
    );
    let (ok, out) =
        response(b"HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n", Method::Get).expect("good");
    assert_eq!(
        (out.as_str(), ok.framing),
        ("HTTP/1.1 304 N\r\ncontent-length: 5\r\n\r\n", Framing::None)
    );
    let (ok, _) = response(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        Method::Get,
    )
    .expect("good");
    assert_eq!((ok.framing, ok.keeps_alive()), (Framing::Chunked, false));
    let (ok, _) = response(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n", Method::Get).expect("good");
    assert_eq!(
        (ok.framing, ok.keeps_alive(), ok.version),
        (Framing::UntilClose, false, Version::Http10)
    );
    let (ok, _) = response(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        Method::Head,
    )
    .expect("good");
    assert_eq!(ok.framing, Framing::None);
    for text in [
        &b"garbage\r\n\r\n"[..],
        b"HTTP/1.1 20\r\n\r\n",
        b"HTTP/1.1 2000 x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
    ] {
        assert!(
            response(text, Method::Get).is_err(),
            "{:?}",
            String::from_utf8_lossy(text)
        );
    }
}

/// Decodes in pieces of `step` bytes.
fn decode(
    text: &[u8],
    framing: Framing,
    step: usize,
) -> Result<(Vec<u8>, usize, Vec<u8>), BodyError> {
    let mut body = Body::new(framing);
    let (mut payload, mut used) = (Vec::new(), 0);
    for piece in text.chunks(step) {
        if body.is_done() {
            break;
        }
        let mut piece = piece.to_vec();
        let got = body.read(&mut piece)?;
        payload.extend_from_slice(&piece[..got.payload]);
        used += got.used;
    }
    assert!(body.is_done(), "not done: {body:?}");
    let mut end = Vec::new();
    body.write_end(&mut end);
    Ok((payload, used, end))
}

#[test]
fn chunks_in_any_pieces() {
    let text = b"3;ext=\"1\"\r\nabc\r\n2 \r\nde\r\n0\r\nX-T:  v\r\nContent-Length: 4\r\n\r\nGET /";
    for step in 1..text.len() {
        let (payload, used, end) = decode(text, Framing::Chunked, step).expect("good chunks");
        assert_eq!(
            (payload.as_slice(), used),
            (&b"abcde"[..], text.len() - 5),
            "step {step}"
        );
        assert_eq!(String::from_utf8_lossy(&end), "0\r\nx-t: v\r\n\r\n");
    }
}

#[test]
fn bad_chunks() {
    for text in [
        &b"xyz\r\n"[..],
        b"-3\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b" 3\r\nabc\r\n",
        b"\r\n",
        b"3\r\nabcd\r\n",
        b"11111111111111111\r\n",
        b"3;a\nabc\r\n0\r\n\r\n",
        b"0\r\nbad trailer\r\n\r\n",
    ] {
        assert_eq!(
            decode(text, Framing::Chunked, 1).err(),
            Some(BodyError),
            "{:?}",
            String::from_utf8_lossy(text)
        );
    }
    let endless = [b"3;".to_vec(), vec![b'a'; 100_000]].concat();
    assert_eq!(
        Body::new(Framing::Chunked).read(&mut endless.clone()),
        Err(BodyError)
    );
}

mod any_bytes {
    use super::*;
    use proptest::prelude::*;

    fn heads() -> impl Strategy<Value = Vec<u8>> {
        let word = prop::sample::select(vec![
            "GET ",
            "POST ",
            "/ ",
            "http://a/ ",
            "HTTP/1.1",
            "HTTP/1.1 200 OK",
            "\r\n",
            "\n",
            "\r",
            " ",
            "\t",
            ":",
            "Host: a",
            "Content-Length: 3",
            "Transfer-Encoding: chunked",
            "Connection: close, x",
            "\0",
            "\u{e9}",
        ]);
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            prop::collection::vec(word, 0..30).prop_map(|words| words.concat().into_bytes()),
        ]
    }

    proptest! {
        #[test]
        fn no_head_panics_and_what_goes_out_reads_back_the_same(text in heads()) {
            let mut fields = Fields::new();
            let mut head = text.clone();
            if let Parsed::Whole(first, len) = Request::parse(&mut head, &mut fields) {
                prop_assert!(len <= text.len());
                let mut out = Vec::new();
                first.write(&head, &fields, &PLAIN, &mut out);
                prop_assert!(!out.contains(&0));
                let bare = out.windows(2).filter(|w| w[1] == b'\n' && w[0] != b'\r').count();
                prop_assert_eq!(bare, 0, "a bare LF goes out");
                let mut again = out.clone();
                match Request::parse(&mut again, &mut fields) {
                    Parsed::Whole(second, len) => {
                        prop_assert_eq!(len, out.len());
                        prop_assert_eq!(first.framing, second.framing);
                    }
                    other => prop_assert!(false, "{:?} of {:?}", other, String::from_utf8_lossy(&out)),
                }
            }
            let _ = Response::parse(&mut text.clone(), Method::Get, &mut fields);
        }

        #[test]
        fn no_chunks_panic(text in prop::collection::vec(any::<u8>(), 0..300), step in 1..40_usize) {
            let mut body = Body::new(Framing::Chunked);
            for piece in text.chunks(step) {
                let mut piece = piece.to_vec();
                match body.read(&mut piece) {
                    Ok(got) => prop_assert!(got.payload <= got.used && got.used <= piece.len()),
                    Err(BodyError) => break,
                }
            }
        }
    }
}
