//! The bare server: a plain actix-web handler that gives stored answers from memory, bytes and headers alike.
//!
//! It is what any server written with actix-web can be at best: no cache to keep consistent, no metrics, no negotiation but a
//! comparison, nothing else on its routes.

use std::{collections::HashMap, path::Path};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
    web,
};
use bytes::Bytes;
use uuid::Uuid;

use crate::{shelf, support::outcome::Outcome};

/// Makes the benchmark's program be the bare server; the file of answers follows.
pub(crate) const ARGUMENT: &str = "--serve-bare";

#[derive(Debug, Clone)]
struct Ready {
    body: Bytes,
    etag: Option<HeaderValue>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// By id, then plain, gzip and br.
    products: HashMap<Uuid, [Option<Ready>; 3]>,
    /// By query.
    lists: HashMap<String, Ready>,
    /// By body of the request.
    batches: HashMap<Bytes, Ready>,
}

const PRODUCTS: &str = "/v1/store/products/";
const LISTS: &str = "/v1/store/products?";

fn place(coding: &[u8]) -> usize {
    match coding {
        b"gzip" => 1,
        b"br" => 2,
        _ => 0,
    }
}

impl Shelf {
    fn read(path: &Path) -> Outcome<Self> {
        let mut all = Self::default();
        for stored in shelf::read(path)? {
            let parse = |(name, value): &(String, String)| -> Outcome<_> {
                Ok((HeaderName::try_from(name.as_str())?, HeaderValue::try_from(value.as_str())?))
            };
            let headers = stored.headers.iter().map(parse).collect::<Outcome<Vec<_>>>()?;
            let etag = stored.header("etag").map(HeaderValue::try_from).transpose()?;
            let ready = Ready { body: stored.body()?.into(), etag, headers };
            if !stored.asked.is_empty() {
                all.batches.insert(stored.asked.into(), ready);
            } else if let Some(id) = stored.target.strip_prefix(PRODUCTS) {
                let codings = all.products.entry(id.parse()?).or_default();
                if let Some(slot) = codings.get_mut(place(stored.coding.as_bytes())) {
                    *slot = Some(ready);
                }
            } else if let Some(query) = stored.target.strip_prefix(LISTS) {
                all.lists.insert(query.to_owned(), ready);
            }
        }
        Ok(all)
    }
}

fn answer(headers: &HeaderMap, ready: Option<&Ready>) -> HttpResponse {
    let Some(ready) = ready else { return HttpResponse::NotFound().finish() };
    let is_known = ready.etag.as_ref().is_some_and(|etag| headers.get(header::IF_NONE_MATCH) == Some(etag));
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    for (name, value) in &ready.headers {
        response.insert_header((name.clone(), value.clone()));
    }
    if is_known { response.finish() } else { response.body(ready.body.clone()) }
}

async fn product(request: HttpRequest, id: web::Path<Uuid>, shelf: web::Data<Shelf>) -> HttpResponse {
    let coding = request.headers().get(header::ACCEPT_ENCODING).map_or(&b""[..], HeaderValue::as_bytes);
    let ready = shelf.products.get(&id).and_then(|codings| codings.get(place(coding))?.as_ref());
    answer(request.headers(), ready)
}

async fn list(request: HttpRequest, shelf: web::Data<Shelf>) -> HttpResponse {
    answer(request.headers(), shelf.lists.get(request.query_string()))
}

async fn batch(request: HttpRequest, body: Bytes, shelf: web::Data<Shelf>) -> HttpResponse {
    answer(request.headers(), shelf.batches.get(&body))
}

/// Serves the answers of a file at a free port until it is killed; says where, like the program does.
pub(crate) fn serve(arguments: &[String]) -> Outcome<()> {
    let path = arguments.first().ok_or("no file of answers")?;
    let shelf = web::Data::new(Shelf::read(Path::new(path))?);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::clone(&shelf))
                .route("/v1/store/products/{id}", web::get().to(product))
                .route("/v1/store/products", web::get().to(list))
                .route("/v1/store/products:batch-get", web::post().to(batch))
        })
        .tcp_nodelay(true)
        .bind("127.0.0.1:0")?;
        for address in server.addrs() {
            println!("listening on http://{address}");
        }
        server.run().await?;
        Ok(())
    })
}
