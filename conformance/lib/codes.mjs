// What a person's devices would make: one-time codes, images, PEM keys, decoded tokens.
import { createHmac, createPublicKey } from 'node:crypto';
import { deflateSync } from 'node:zlib';

const base32 = text => {
  const bits = [...text.replace(/=+$/, '')].map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map(byte => Number.parseInt(byte, 2)));
};

/** The code an authenticator shows: SHA-1, 30 seconds, 6 digits. */
export const totp = (secret, at = Date.now()) => {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac('sha1', base32(secret)).update(counter).digest();
  const offset = digest.at(-1) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
};

/** Six digits that are no code around now. */
export const wrongTotp = secret => {
  const right = [-60_000, -30_000, 0, 30_000, 60_000].map(shift => totp(secret, Date.now() + shift));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find(code => !right.includes(code));
};

const checksum = bytes => {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
};

/** A one-coloured PNG of the given size. */
export const png = (width = 16, height = 16) => {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const whole = Buffer.alloc(body.length + 8);
    whole.writeUInt32BE(data.length);
    body.copy(whole, 4);
    whole.writeUInt32BE(checksum(body), body.length + 4);
    return whole;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 120)]);
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
};

/** The parts of a token, unverified. */
export const parts = jwt => {
  const [header, payload] = jwt.split('.').slice(0, 2).map(part => JSON.parse(Buffer.from(part, 'base64url')));
  return { header, payload };
};

/** A JWK as the PEM text that the SDK takes for `jwtKey`. */
export const pem = jwk => createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });

/** The frontend host that a publishable key names. */
export const frontendHost = publishableKey =>
  Buffer.from(publishableKey.split('_')[2], 'base64').toString('utf8').replace(/\$$/, '');
