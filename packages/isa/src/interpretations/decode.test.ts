import {describe, expect, test} from 'vitest';
import type {CodeSize, Instruction} from '../instruction.js';
import type {InstructionFeature} from '../opcodes/form.js';
import {askIced} from '../testing/iced.js';
import {CODE_SIZES, formSamples} from '../testing/form-samples.js';
import {RandomBytes} from '../testing/random-bytes.js';
import {decode} from './decode.js';

const RIP = 0x1000n;

function decodeHex(text: string, codeSize: CodeSize = 64) {
  return decode(Uint8Array.from(text.split(' ').map(byte => parseInt(byte, 16))), codeSize);
}

function instruction(text: string, codeSize: CodeSize = 64): Instruction {
  const result = decodeHex(text, codeSize);
  if (result.kind !== 'instruction') throw new Error(`${text}: ${result.kind}`);
  return result.instruction;
}

const hexOf = (bytes: Uint8Array): string => [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ');

/** How our answer and iced's contradict each other; undefined where they do not. */
function contradiction(bytes: Uint8Array, codeSize: CodeSize): string | undefined {
  const ours = decode(bytes, codeSize),
    iced = askIced(bytes, codeSize, RIP);
  const place = `${codeSize}: ${hexOf(bytes)} (${iced.text})`;
  switch (ours.kind) {
    case 'instruction':
      if (!iced.valid) return `${place}: we say ${ours.instruction.form.syntax}`;
      return ours.instruction.bytes.length === iced.length
        ? undefined
        : `${place}: we say ${ours.instruction.bytes.length} bytes`;
    case 'undefined':
      return iced.valid ? `${place}: we say undefined, ${ours.why}` : undefined;
    case 'too-long':
      return iced.valid ? `${place}: we say too long` : undefined;
    case 'truncated':
      return iced.valid ? `${place}: we say truncated` : undefined;
    // A name for what we lack is not an opinion on whether every processor has it.
    case 'unsupported':
      return undefined;
  }
}

describe('the decoder against iced-x86', () => {
  test('agrees on every line of the table, in every mode, size and operand shape', () => {
    const contradictions = formSamples().flatMap(({codeSize, bytes}) => contradiction(bytes, codeSize) ?? []);
    expect(contradictions.slice(0, 20)).toEqual([]);
  }, 120_000);

  test('agrees on 150,000 random byte strings: valid or not, and how long', () => {
    const random = new RandomBytes(20261122);
    const contradictions: string[] = [];
    for (const codeSize of CODE_SIZES) {
      for (let n = 0; n < 50_000; n++) {
        const found = contradiction(random.instruction(codeSize), codeSize);
        if (found !== undefined) contradictions.push(found);
      }
    }
    expect(contradictions.slice(0, 20)).toEqual([]);
  }, 120_000);

  test('every prefix of an instruction asks for more bytes, and never for more than there are', () => {
    const wrong: string[] = [];
    for (const {codeSize, bytes} of formSamples().filter((_, n) => n % 7 === 0)) {
      const whole = decode(bytes, codeSize);
      if (whole.kind !== 'instruction') continue;
      for (let length = 0; length < whole.instruction.bytes.length; length++) {
        const part = decode(bytes.slice(0, length), codeSize);
        const good = part.kind === 'truncated' && part.needed > length && part.needed <= whole.instruction.bytes.length;
        if (!good) wrong.push(`${codeSize}: ${hexOf(bytes)} cut to ${length}: ${part.kind}`);
      }
    }
    expect(wrong.slice(0, 20)).toEqual([]);
  }, 60_000);
});

describe('the decoder', () => {
  test.each([
    ['f0 48 01 08', 'instruction'],
    ['f0 48 01 c8', 'undefined'],
    ['f0 90', 'undefined'],
    ['f0 0f 22 c0', 'undefined'],
    ['0f 0b', 'instruction'],
    ['06', 'undefined'],
    ['0f 04', 'undefined'],
    ['8e c8', 'undefined'],
    ['0f 22 c8', 'undefined'],
    ['0f 01 d5', 'unsupported'],
    ['0f 58 c1', 'unsupported'],
    ['d9 c0', 'unsupported'],
    ['f3 0f b8 c1', 'instruction'],
    ['c4 e2 60 f2 c1', 'instruction'],
    ['66 c4 e2 60 f2 c1', 'undefined'],
    ['c4 e2 64 f2 c1', 'undefined'],
    ['c5 f8 77', 'unsupported'],
  ])('%s is %s', (text, kind) => expect(decodeHex(text).kind).toBe(kind));

  test('names what it lacks', () => {
    expect(decodeHex('0f 58 c1')).toMatchObject({what: '0F 58: ADDPS'});
    expect(decodeHex('66 0f 5a c1')).toMatchObject({what: '66 0F 5A: CVTPD2PS'});
    expect(decodeHex('d8 06')).toMatchObject({what: 'D8: FADD m32', unit: 'x87'});
    expect(decodeHex('d9 ff')).toMatchObject({what: 'D9 FF: FCOS'});
    expect(decodeHex('66 0f 38 00 c1')).toMatchObject({what: '66 0F 38 00: PSHUFB', unit: 'SSE'});
    expect(decodeHex('0f 38 00 c1')).toMatchObject({what: '0F 38 00: PSHUFB', unit: 'MMX'});
  });

  test('takes what a processor lacks as undefined, and says what would have to be announced', () => {
    const why = (bytes: readonly number[], ...announced: readonly InstructionFeature[]) =>
      decode(Uint8Array.from(bytes), 64, 0, new Set(announced));
    expect(why([0x0f, 0x58, 0xc1], 'fpu')).toMatchObject({
      kind: 'undefined',
      why: 'ADDPS: this processor does not announce SSE',
    });
    expect(why([0x66, 0x0f, 0xef, 0xc1], 'fpu', 'sse', 'mmx')).toMatchObject({
      kind: 'undefined',
      why: 'this processor does not announce SSE2',
    });
    expect(why([0xc5, 0xf8, 0x77], 'sse2').kind).toBe('undefined');
    expect(why([0x0f, 0x58, 0xc1], 'sse').kind).toBe('unsupported');
  });

  test('reads 8F as XOP only where the opcode map is 8 or more', () => {
    expect(decodeHex('8f e8 78 12 c0 00')).toMatchObject({what: '8F: XOP encoding'});
    expect(decodeHex('8f e0 78 12 c0 00').kind).toBe('undefined');
    expect(decode(Uint8Array.of(0x8f, 0xe8, 0x78), 64, 0, new Set()).kind).toBe('undefined');
  });

  test('reads x87 encodings as escapes to a coprocessor that is not there, where no FPU is announced', () => {
    const result = decode(Uint8Array.of(0xdb, 0xe3), 32, 0, new Set());
    expect(result).toMatchObject({kind: 'instruction', instruction: {mnemonic: 'ESC'}});
    expect(decodeHex('db e3')).toMatchObject({instruction: {mnemonic: 'FNINIT'}});
  });

  test('says why an encoding is undefined', () => {
    expect(decodeHex('06')).toMatchObject({why: 'it does not exist in 64-bit mode'});
    expect(decodeHex('0f 22 c8')).toMatchObject({why: 'there is no CR1'});
    expect(decodeHex('f0 48 01 c8')).toMatchObject({why: 'LOCK is not allowed here'});
    expect(decodeHex('0f 01 38 ').kind).toBe('instruction');
    expect(decodeHex('8d c0')).toMatchObject({why: 'the operand must be in memory'});
  });

  test('reads an encoding as the processor that announces it, and as the one before', () => {
    const bytes = Uint8Array.of(0xf3, 0x0f, 0xbd, 0xc1);
    const mnemonic = (...announced: readonly InstructionFeature[]) => {
      const result = decode(bytes, 64, 0, new Set(announced));
      return result.kind === 'instruction' ? result.instruction.mnemonic : result.kind;
    };
    expect([mnemonic('lzcnt'), mnemonic()]).toEqual(['LZCNT', 'BSR']);
    expect(decode(Uint8Array.of(0xf3, 0x0f, 0xb8, 0xc1), 64, 0, new Set())).toMatchObject({
      kind: 'undefined',
      why: 'this processor does not announce POPCNT',
    });
  });

  test('reaches registers 8 to 15 through VEX, and reads LES where VEX cannot be', () => {
    expect(instruction('c4 42 a8 f2 c1').operands).toMatchObject([
      {register: 'R8', width: 64},
      {register: 'R10', width: 64},
      {register: 'R9', width: 64},
    ]);
    expect(instruction('c4 42 a8 f2 c1', 32).mnemonic).toBe('LES');
    expect(instruction('c4 e2 e0 f2 c1', 32).operands[0]).toMatchObject({register: 'RAX', width: 32});
  });

  test('takes fifteen bytes and refuses sixteen', () => {
    const prefixes = (n: number) => Array.from({length: n}, () => '66').join(' ');
    expect(decodeHex(`${prefixes(14)} 90`).kind).toBe('instruction');
    expect(decodeHex(`${prefixes(15)} 90`).kind).toBe('too-long');
    expect(decodeHex(`${prefixes(15)}`).kind).toBe('too-long');
    expect(decodeHex(`${prefixes(14)}`)).toEqual({kind: 'truncated', needed: 15});
  });

  test("ignores 66h on near branches in 64-bit mode, as Intel's processors do", () => {
    expect(instruction('66 e8 00 00 00 00')).toMatchObject({width: 64, bytes: {length: 6}});
    expect(instruction('66 e8 00 00', 32)).toMatchObject({width: 16, bytes: {length: 4}});
  });

  test('ignores a REX that another prefix follows', () => {
    expect(instruction('48 66 01 c8').width).toBe(16);
    expect(instruction('66 48 01 c8').width).toBe(64);
  });

  test('reads 90 as NOP, with REX.B as XCHG, with F3 as PAUSE', () => {
    expect(instruction('90').form.syntax).toBe('NOP');
    expect(instruction('41 90').form.syntax).toBe('XCHG rV, rAX');
    expect(instruction('f3 90').form.syntax).toBe('PAUSE');
  });

  test('finds AH without REX and SPL with it', () => {
    expect(instruction('88 e0').operands[1]).toEqual({kind: 'register', register: 'RAX', width: 8, high: true});
    expect(instruction('40 88 e0').operands[1]).toEqual({kind: 'register', register: 'RSP', width: 8, high: false});
  });

  test('chooses the segment: SS for RBP, an override where it counts', () => {
    expect(instruction('8b 45 00').operands[1]).toMatchObject({segment: 'SS'});
    expect(instruction('64 8b 45 00').operands[1]).toMatchObject({segment: 'FS'});
    expect(instruction('2e 8b 45 00').operands[1]).toMatchObject({segment: 'SS'});
    expect(instruction('2e 8b 45 00', 32).operands[1]).toMatchObject({segment: 'CS'});
  });

  test('says which bytes are what', () => {
    expect(instruction('66 81 84 8b 10 20 30 40 34 12', 32).parts).toEqual({
      prefixes: [0, 1],
      opcode: [1, 2],
      modrm: 2,
      sib: 3,
      displacement: [4, 8],
      immediate: [8, 10],
    });
  });

  test("decodes at an offset, and keeps only the instruction's own bytes", () => {
    const result = decode(Uint8Array.of(0x90, 0x48, 0x01, 0xc8, 0xf4), 64, 1);
    expect(result).toMatchObject({
      kind: 'instruction',
      instruction: {mnemonic: 'ADD', bytes: Uint8Array.of(0x48, 0x01, 0xc8)},
    });
  });
});
