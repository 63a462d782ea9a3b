// SHA-256, to name a guest's bytes in a record's header. The browser's own is asynchronous and exists only on secure
// pages; a session starts synchronously and everywhere. FIPS 180-4.

const fraction = (root: number): number => Math.floor((root - Math.floor(root)) * 2 ** 32) >>> 0;

/** The first 64 primes: their roots give the constants of the algorithm. */
function primes(): readonly number[] {
  const found: number[] = [];
  for (let n = 2; found.length < 64; n++) if (found.every(prime => n % prime !== 0)) found.push(n);
  return found;
}
const PRIMES = primes();
/** FIPS 180-4, 4.2.2: fractional parts of the cube roots; a double has bits to spare for 32 of them. */
const ROUND = Uint32Array.from(PRIMES, prime => fraction(Math.cbrt(prime)));
/** FIPS 180-4, 5.3.3: fractional parts of the square roots of the first eight. */
const INITIAL = Uint32Array.from(PRIMES.slice(0, 8), prime => fraction(Math.sqrt(prime)));

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** 64 hexadecimal digits. */
export function sha256(message: Uint8Array): string {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  const hash = INITIAL.slice();
  const words = new Uint32Array(64);
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getUint32(block + i * 4);
    compress(hash, words);
  }
  return [...hash].map(word => word.toString(16).padStart(8, '0')).join('');
}

/** FIPS 180-4, 6.2.2. */
function compress(hash: Uint32Array, w: Uint32Array): void {
  const at = (words: Uint32Array, i: number): number => words[i] ?? 0;
  for (let i = 16; i < 64; i++) {
    const s0 = rotate(at(w, i - 15), 7) ^ rotate(at(w, i - 15), 18) ^ (at(w, i - 15) >>> 3);
    const s1 = rotate(at(w, i - 2), 17) ^ rotate(at(w, i - 2), 19) ^ (at(w, i - 2) >>> 10);
    w[i] = at(w, i - 16) + s0 + at(w, i - 7) + s1;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = hash;
  for (let i = 0; i < 64; i++) {
    const t1 =
      (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + at(ROUND, i) + at(w, i)) | 0;
    const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    hash[i] = at(hash, i) + value;
  });
}
