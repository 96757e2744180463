//! Bodies of requests, within bounds.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request},
    http::{HeaderMap, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Result;
use http_body_util::BodyExt as _;
use wire::{Payload, Upload, refusal};

use crate::Api;

/// A body that holds parameters.
const BODY_BYTES_MAX: usize = 1 << 20;
/// A body that holds a file: ten megabytes and some room for what surrounds them.
const UPLOAD_BYTES_MAX: usize = (10 << 20) + (64 << 10);
/// Bytes of an unwanted body that are let run dry.
const DRAINED_BYTES_MAX: usize = 64 << 20;
/// How long an unwanted body is let run dry.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(5);
/// Parts of a multipart form.
const PARTS_MAX: usize = 16;

/// Reads the body of a request to an operation of `api`.
pub(crate) async fn read(api: Api, takes_file: bool, request: Request) -> Result<Payload> {
    let headers = request.headers();
    let encoded = headers.get(header::CONTENT_ENCODING);
    if encoded.is_some_and(|encoding| encoding != "identity") {
        let reason = "The body must not be compressed.";
        return Err(refusal::unsupported_content_type().because(reason).into());
    }
    let bytes_max = if takes_file { UPLOAD_BYTES_MAX } else { BODY_BYTES_MAX };
    let too_large =
        if takes_file { refusal::image_too_large } else { refusal::request_body_too_large };
    let announced = content_length(headers);
    let media_type = media_type(headers);
    if announced.is_some_and(|length| length > bytes_max as u64) {
        drain(request.into_body());
        return Err(too_large().into());
    }
    if takes_file && media_type.as_deref() == Some("multipart/form-data") {
        return multipart(request, bytes_max).await;
    }
    let body = collect(request.into_body(), bytes_max).await?;
    match media_type.as_deref() {
        _ if body.is_empty() => Ok(Payload::Empty),
        Some("application/json") => Ok(Payload::Json(body)),
        Some("application/octet-stream") if takes_file && api == Api::Frontend => {
            let file = data(&body).unwrap_or(body);
            Ok(Payload::Upload(Some(Upload { content_type: None, bytes: file }), Vec::new()))
        }
        Some("application/x-www-form-urlencoded") if api == Api::Frontend => {
            Ok(Payload::Form(body))
        }
        _ => {
            let reason = "The Content-Type must be application/json.";
            Err(refusal::unsupported_content_type().because(reason).into())
        }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Reads a body that must not be longer than `bytes_max`.
async fn collect(mut body: Body, bytes_max: usize) -> Result<Vec<u8>> {
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| refusal::request_body_invalid())?;
        let Some(data) = frame.data_ref() else { continue };
        if collected.len() + data.len() > bytes_max {
            drain(body);
            return Err(refusal::request_body_too_large().into());
        }
        collected.extend_from_slice(data);
    }
    Ok(collected)
}

/// Lets a body run dry that nobody wants, within reason: a client that is still sending when its
/// connection closes never sees the answer.
pub(crate) fn drain(body: Body) {
    let draining = async move {
        let mut body = http_body_util::Limited::new(body, DRAINED_BYTES_MAX);
        while let Some(Ok(_)) = body.frame().await {}
    };
    tokio::spawn(tokio::time::timeout(DRAIN_TIME_MAX, draining));
}

async fn multipart(request: Request, bytes_max: usize) -> Result<Payload> {
    let mut limited = request.map(|body| Body::new(http_body_util::Limited::new(body, bytes_max)));
    // Else axum's own limit of two megabytes would hold.
    DefaultBodyLimit::disable().apply(&mut limited);
    let mut form =
        Multipart::from_request(limited, &()).await.map_err(|_| refusal::request_body_invalid())?;
    let (mut file, mut texts) = (None, Vec::new());
    for _ in 0..PARTS_MAX {
        let Some(part) = form.next_field().await.map_err(|error| multipart_error(&error))? else {
            return Ok(Payload::Upload(file, texts));
        };
        let name = part.name().unwrap_or_default().to_owned();
        if name == "file" || name == "profile_image" {
            let content_type = part.content_type().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|error| multipart_error(&error))?;
            let upload = Upload { content_type, bytes: bytes.into() };
            if file.replace(upload).is_some() {
                return Err(refusal::form_param_duplicate().param("file").into());
            }
        } else {
            let text = part.text().await.map_err(|error| multipart_error(&error))?;
            texts.push((name, text));
        }
    }
    Err(refusal::request_body_invalid().because("The form has too many parts.").into())
}

/// What the text of a `data:` URL holds in base 64. Official scripts send pictures so that pages
/// have as texts.
fn data(text: &[u8]) -> Option<Vec<u8>> {
    let (head, encoded) = std::str::from_utf8(text).ok()?.trim().split_once(',')?;
    let is_data = head.starts_with("data:") && head.ends_with(";base64");
    is_data.then(|| STANDARD.decode(encoded).ok()).flatten()
}

fn multipart_error(error: &axum::extract::multipart::MultipartError) -> wire::Refusal {
    match error.status().as_u16() {
        413 => refusal::image_too_large(),
        _ => refusal::request_body_invalid(),
    }
}
