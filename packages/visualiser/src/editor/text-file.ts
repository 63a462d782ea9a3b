// Texts from the reader's own files; nothing of them leaves the page.

/** More than any program here can be; a larger file is something else. */
const MOST_BYTES = 512 * 1024;

export type OpenedText =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'refused'; readonly why: string};

/** The text of a file, its lines ended as here; what is no text is refused in words. */
export async function openText(file: Pick<File, 'name' | 'size' | 'arrayBuffer'>): Promise<OpenedText> {
  if (file.size > MOST_BYTES)
    return {
      kind: 'refused',
      why: `${file.name} is larger than 512 KiB, which no guest’s source is: choose an .asm file.`,
    };
  try {
    const text = new TextDecoder('utf-8', {fatal: true}).decode(await file.arrayBuffer());
    if (!text.includes('\0')) return {kind: 'text', text: text.replaceAll(/\r\n?/g, '\n')};
  } catch {
    // Not UTF-8, or gone since it was chosen: the sentence below says what helps in both cases.
  }
  return {kind: 'refused', why: `${file.name} cannot be read as text: choose an .asm file, saved as UTF-8.`};
}
