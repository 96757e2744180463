//! The examples of RFC 7515 and RFC 8037.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jwt::{Algorithm, Jwk, TokenError, VerifyingKey, decode_unverified};

const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const CLAIMS: &[u8] =
    b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

#[test]
fn rfc_7515_a_1_hmac() {
    let secret = URL_SAFE_NO_PAD
        .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
        .expect("base64url");
    let key = VerifyingKey::from_secret(Algorithm::Hs256, &secret).expect("a key");
    let token = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );

    let verified = key.verify(&token).expect("good");

    assert_eq!(verified.payload, CLAIMS);
    assert_eq!(verified.header.typ.as_deref(), Some("JWT"));
    assert_eq!(decode_unverified(&token).expect("decoded").payload["iss"], "joe");
}

#[test]
fn rfc_7515_a_2_rsa() {
    let key = VerifyingKey::from_jwk(&Jwk {
        kty: "RSA".into(),
        n: Some("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ".into()),
        e: Some("AQAB".into()),
        ..Jwk::default()
    })
    .expect("a key");
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );

    assert_eq!(key.verify(&token).expect("good").payload, CLAIMS);
}

#[test]
fn rfc_7515_a_3_elliptic_curve() {
    let key = VerifyingKey::from_jwk(&Jwk {
        kty: "EC".into(),
        crv: Some("P-256".into()),
        x: Some("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU".into()),
        y: Some("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0".into()),
        ..Jwk::default()
    })
    .expect("a key");
    let token = format!(
        "eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    );

    assert_eq!(key.verify(&token).expect("good").payload, CLAIMS);
}

#[test]
fn rfc_7515_a_5_unsecured_is_refused_by_every_key() {
    let token = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    let key = VerifyingKey::from_secret(Algorithm::Hs256, &[0; 32]).expect("a key");

    assert_eq!(key.verify(&token).expect_err("refused"), TokenError::Form);
}

#[test]
fn rfc_8037_a_4_ed25519() {
    let key = VerifyingKey::from_jwk(&Jwk {
        kty: "OKP".into(),
        crv: Some("Ed25519".into()),
        x: Some("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into()),
        ..Jwk::default()
    })
    .expect("a key");

    let verified = key
        .verify("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")
        .expect("good");

    assert_eq!(verified.payload, b"Example of Ed25519 signing");
}
