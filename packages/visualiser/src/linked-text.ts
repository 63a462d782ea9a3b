// An edited program as part of a link: compressed, in characters that an address may have. What comes out of a link is a stranger's:
// it is limited in size while it is unpacked, so that few bytes cannot become very many.

/** Characters of a packed text at the most; longer addresses are cut off by mail programs and chats. */
const MOST_PACKED = 20_000;
/** Characters of a text that is unpacked: far above every program here. */
const MOST_TEXT = 256 * 1024;

const toBase64Url = (bytes: Uint8Array): string => {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
};

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, character => character.charCodeAt(0));
}

/** Packs a text for a link; undefined where it is too long for one. */
export async function packText(text: string): Promise<string | undefined> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const packed = toBase64Url(new Uint8Array(await new Response(stream).arrayBuffer()));
  return packed.length > MOST_PACKED ? undefined : packed;
}

/** The text of a link; undefined where it is damaged, no text, or larger than a program can be. */
export async function unpackText(packed: string): Promise<string | undefined> {
  if (packed.length > MOST_PACKED) return undefined;
  try {
    const stream = new Blob([fromBase64Url(packed)]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const decoder = new TextDecoder('utf-8', {fatal: true});
    let text = '';
    const reader = stream.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, {stream: true});
      if (text.length > MOST_TEXT) {
        await reader.cancel();
        return undefined;
      }
    }
    text += decoder.decode();
    return text === '' || text.includes('\0') ? undefined : text;
  } catch {
    // Not base64, not deflate, or not UTF-8: to the reader it is one thing, a damaged link.
    return undefined;
  }
}

/** Keeps a text packed for as long as it is the same, because an address is written after every step. */
export class PackedText {
  #text: string | undefined = undefined;
  #packed: string | undefined = undefined;

  /** The packed text, when it is ready; `ready` is called when it has become so. */
  of(text: string | undefined, ready: () => void): string | undefined {
    if (text === this.#text) return this.#packed;
    this.#text = text;
    this.#packed = undefined;
    if (text === undefined) return undefined;
    const keep = async (): Promise<void> => {
      const packed = await packText(text);
      if (text !== this.#text || packed === undefined) return;
      this.#packed = packed;
      ready();
    };
    void keep();
    return undefined;
  }
}
