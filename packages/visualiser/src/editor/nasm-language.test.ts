import {StringStream} from '@codemirror/language';
import {GUESTS, assemblyVocabulary} from '@hyperscope/simulation';
import {describe, expect, test} from 'vitest';
import {nasmParser} from './nasm-language.js';
import {knownWords} from './nasm-words.js';

const parser = nasmParser(knownWords(assemblyVocabulary()));

/** The tokens of a line, as `text:kind`. */
function tokensOf(line: string): readonly string[] {
  const stream = new StringStream(line, 8, 8);
  const state = parser.startState?.(8) ?? {place: 'start'};
  const found: string[] = [];
  while (!stream.eol()) {
    stream.start = stream.pos;
    const kind = parser.token(stream, state);
    if (kind !== null) found.push(`${stream.current()}:${kind}`);
  }
  return found;
}

describe('what a line is coloured as', () => {
  test.each([
    [
      'start:  mov dx, 0x3f8 ; port',
      'start:label ::operator mov:mnemonic dx:register ,:operator 0x3f8:number ; port:comment',
    ],
    ["  mov al, 'a;b'", "mov:mnemonic al:register ,:operator 'a;b':string"],
    ['COM1 equ 3f8h', 'COM1:label equ:directive 3f8h:number'],
    ['  jmp and', 'jmp:mnemonic and:symbol'],
    [
      '  AND EAX, dword [rel x]',
      'AND:mnemonic EAX:register ,:operator dword:size [:operator rel:size x:symbol ]:operator',
    ],
    ['  lock inc qword [rax]', 'lock:mnemonic inc:mnemonic qword:size [:operator rax:register ]:operator'],
    [
      '  times 510 - ($ - $$) db 0',
      'times:directive 510:number -:operator (:operator $:symbol -:operator $$:symbol ):operator db:directive 0:number',
    ],
    ['%define X 1', '%define:directive X:symbol 1:number'],
    ['  dd 7 % 4, %1', 'dd:directive 7:number %:operator 4:number ,:operator %1:symbol'],
    ["  db 'open", "db:directive 'open:unclosed"],
    ['  mov al, ä', 'mov:mnemonic al:register ,:operator ä:unknown'],
  ])('%s', (line, expected) => expect(tokensOf(line).join(' ')).toBe(expected));
});

test('of the guests that ship no line has a character or a string that is coloured as wrong', () => {
  for (const {id, source} of GUESTS)
    for (const line of source.split('\n'))
      expect(
        tokensOf(line).filter(token => /:(?:unknown|unclosed)$/.test(token)),
        `${id}: ${line}`,
      ).toEqual([]);
});
