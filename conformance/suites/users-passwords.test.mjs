// Passwords that somebody else hashed, or still keeps.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createServer } from 'node:http';
import { suite } from '../lib/world.mjs';

// Amazon Cognito, as far as a password is concerned.
const asked = [];
const cognito = createServer(async (request, response) => {
  let text = '';
  for await (const piece of request) text += piece;
  const body = JSON.parse(text);
  asked.push({ target: request.headers['x-amz-target'], type: request.headers['content-type'], body });
  const { USERNAME: name, PASSWORD: password } = body.AuthParameters;
  const answer = (status, value) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(value));
  };
  if (name === 'broken') return answer(500, { __type: 'InternalErrorException' });
  if (name === 'temporary') return answer(200, { ChallengeName: 'NEW_PASSWORD_REQUIRED', ChallengeParameters: {} });
  if (password !== 'kept by cognito') return answer(400, { __type: 'NotAuthorizedException', message: 'Incorrect username or password.' });
  return answer(200, { AuthenticationResult: { AccessToken: 'a', IdToken: 'b', RefreshToken: 'c', ExpiresIn: 3600, TokenType: 'Bearer' }, ChallengeParameters: {} });
});
await new Promise(done => cognito.listen(0, '127.0.0.1', done));
process.env.VESTRY_COGNITO_URL = `http://127.0.0.1:${cognito.address().port}/`;
after(() => cognito.close());

// One digest of every hasher; where they are from is told in crates/passwords/tests/vectors.rs.
const signer = 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==';
const vectors = [
  ['argon2id', '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', 'password'],
  ['argon2i', '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA', 'password'],
  ['bcrypt', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['bcrypt_peppered', '$2a$04$abcdefghijklmnopqrstuusKbocMrJJJhzIyupIo5BNyJMCbe4oFO$salt and pepper', 'correct horse'],
  ['bcrypt_sha256_django', 'bcrypt_sha256$$2b$04$abcdefghijklmnopqrstuuIvyWZlBcE3WoQXKqRnwrLYJ6nenE0Bq', 'correct horse'],
  ['ldap_ssha', '{SSHA}ytky6/nI4d/RTqM70cmuUGkvkykBAgME//79/A==', 'correct horse'],
  ['md5', '5f4dcc3b5aa765d61d8327deb882cf99', 'password'],
  ['md5_phpass', '$P$8abcdEFGHvN4a8qOGGlkYyGqu.6XBj1', 'correct horse'],
  ['md5_salted', 'seasalt$3f86d0d3d465b7b458c231bf3555c0e3', 'lètmein'],
  ['pbkdf2_sha1', 'pbkdf2_sha1$4096$salt$4b007901b765489abead49d926f721d065a429c1', 'password'],
  ['pbkdf2_sha256', 'pbkdf2_sha256$1$c2FsdA==$VawEblbjCJ/sFpHCJUS2BflBhSFt3gRl5oudV8INrLxJypzM8Xm2RZkWZLOdd+8xfHG4RbHjC9UJESBB06GXgw==', 'passwd'],
  ['pbkdf2_sha256_django', 'pbkdf2_sha256$10000$seasalt$CWWFdHOWwPnki7HvkcqN9iA2T3KLW1cf2uZ5kvArtVY=', 'lètmein'],
  ['pbkdf2_sha512', 'pbkdf2_sha512$1000$salt$afe6c5530785b6cc6b1c6453384731bd5ee432ee549fd42fb6695779ad8a1c5bf59de69c48f774efc4007d5298f9033c0241d5ab69305e7b64eceeb8d834cfec', 'password'],
  ['pbkdf2_sha512_hex', 'pbkdf2_sha512$1000$00FF10ab$eed3e51e3f53297264d5b0b59f5362052ab151ff426c82b2d56a24c160eae3d7a1fa0ce0a25f08b09e1af077e3e254952d16a23a6f0cb7b97553f3c39aafc2be', 'correct horse'],
  ['phpass', '$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0', 'test12345'],
  ['scrypt_firebase', `lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==$42xEC+ixf3L2lw==$${signer}$Bw==$8$14`, 'user1password'],
  ['scrypt_werkzeug', 'scrypt:1024:8:1$EnALM5EYnuBOrULV$a856b8637c8eb8b7d671138aafcd1f3febd94c87b3386335ef7e30c2b8610c32d25f59643bda7acc0c80d2bdce9d1beb2472d321c4e1a73abfb5a83d7bbb3d42', 'correct horse'],
  ['sha256', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'test'],
  ['sha256_salted', 'seasalt$e0327e0c88846ec7f85601380e86c72a5242e3455a1ae0f736f349858f126eb9', 'lètmein'],
  ['sha512_symfony', 'sha512_symfony$5000$abcd1234$UhhZAmKjmRFrIpZzgkF7Nl4O0LiNq24T23Tlx2IWV5XKt8RjyVwFJ0mnnUH3KhNDmrv+F79DjQauffBMsbrpuw==', 'correct horse'],
];

suite('users: passwords of others', world => {
  const users = () => world.clerk.users;
  const wrong = { status: 422, code: 'incorrect_password' };

  test('every hasher is imported, verified and hashed anew', async () => {
    for (const [passwordHasher, passwordDigest, password] of vectors) {
      const user = await users().createUser({ emailAddress: [world.email()], passwordHasher, passwordDigest });
      const verify = given => users().verifyPassword({ userId: user.id, password: given });
      await world.refused(() => verify(`${password}x`), wrong);
      assert.deepEqual(await verify(password), { verified: true }, passwordHasher);
      // From here on the digest is our own.
      await world.refused(() => verify(`${password}x`), wrong);
      assert.deepEqual(await verify(password), { verified: true }, `${passwordHasher}, again`);
      assert.deepEqual((await users().getUser(user.id)).raw, user.raw, 'nothing to be seen of it');
    }
  });

  test('a hasher is imported by an update as well', async () => {
    const user = await world.user();
    const [passwordHasher, passwordDigest, password] = vectors.find(([name]) => name === 'phpass');
    await users().updateUser(user.id, { passwordHasher, passwordDigest });
    assert.deepEqual(await users().verifyPassword({ userId: user.id, password }), { verified: true });
    await world.refused(() => users().verifyPassword({ userId: user.id, password: 'correct horse battery' }), wrong);
  });

  test('a password that Cognito keeps is asked for once', async () => {
    const imported = name => users().createUser({ emailAddress: [world.email()], passwordHasher: 'awscognito', passwordDigest: `awscognito#eu-central-1_aB3dE5#7abc123def#${name}` });
    const user = await imported('ada');
    asked.length = 0;
    const verify = password => users().verifyPassword({ userId: user.id, password });
    await world.refused(() => verify('something else'), wrong);
    assert.deepEqual(await verify('kept by cognito'), { verified: true });
    assert.deepEqual(asked.at(-1), {
      target: 'AWSCognitoIdentityProviderService.InitiateAuth',
      type: 'application/x-amz-json-1.1',
      body: { AuthFlow: 'USER_PASSWORD_AUTH', ClientId: '7abc123def', AuthParameters: { USERNAME: 'ada', PASSWORD: 'kept by cognito' } },
    });
    const times = asked.length;
    assert.deepEqual(await verify('kept by cognito'), { verified: true });
    await world.refused(() => verify('something else'), wrong);
    assert.equal(asked.length, times, 'nobody is asked any more');
    const temporary = await imported('temporary');
    await world.refused(() => users().verifyPassword({ userId: temporary.id, password: 'kept by cognito' }), wrong);
    const broken = await imported('broken');
    await world.rawRefused({ status: 503, code: 'service_unavailable' }, 'POST', `/v1/users/${broken.id}/verify_password`, { body: { password: 'kept by cognito' } });
  });
});
