import {describe, expect, test} from 'vitest';
import type {CodeSize} from '../instruction.js';
import {askIced} from '../testing/iced.js';
import {CODE_SIZES, formSamples} from '../testing/form-samples.js';
import {RandomBytes} from '../testing/random-bytes.js';
import {decode} from './decode.js';
import {disassemble} from './disassemble.js';

const RIP = 0x40_1000n;

/**
 * Where we and iced write the same instruction differently, both are brought to one spelling:
 * - iced leaves out the size of an address that only a prefix gives: [0x1234] for our [dword 0x1234], or writes a32 before;
 * - iced writes o16, o32, o64 before instructions on which the prefix has no effect (MOV m, Sreg; LLDT; SMSW m);
 * - we write PUSHFQ, IRETD, PUSHAW where iced leaves the size to the mode; LOOPE for LOOPZ; a size on branches that is not the mode's;
 * - iced writes REPZ for REPE, and IMUL with one register where source and destination are the same;
 * - XCHG is the same either way round, and of a register with itself it is NOP;
 * - iced reads the register of MOV Sreg at the operand size; we read the 16 bits that are used;
 * - iced names hint NOPs by the later instructions that are made of them (CLDEMOTE, PREFETCHIT1);
 * - iced writes the operands of INVLPGA out, which NASM knows by themselves; our prefix a16 or a32 says their width;
 * - prefixes that do nothing (XACQUIRE, BND, NOTRACK, branch hints, REP and segments where they mean nothing) are not shown by us.
 */
function plain(text: string): string {
  const words = text
    .replace(/\[(word|dword|qword) /g, '[')
    .replace(/\b(xacquire|xrelease|bnd|notrack|hint-taken|hint-not-taken) /g, '')
    .replace(
      /^((?:a16|a32|a64) )?(o16|o32|o64) (?=(mov|lldt|sldt|ltr|str|lmsw|smsw|push|sysret|sysexit|verr|verw|j\w+) )/,
      '$1',
    )
    .replace(/^(pushf|popf|iret|pusha|popa)[wdq]$/, '$1')
    .replace(/^(a\d\d )?invlpga( \w+, ecx)?$/, 'invlpga')
    .replace(/\bloop(n?)e /, 'loop$1z ')
    .replace(/\brep(n?)z /, 'rep$1e ')
    .replace(/^imul (\w+), \1, (?=\d)/, 'imul $1, ')
    .replace(/^(jmp|call) (word|dword) (?=0x)/, '$1 ')
    .replace(/^(mov [defgs]s, )(e|r)?(ax|cx|dx|bx|sp|bp|si|di)$/, '$1$3')
    .replace(/^(mov [defgs]s, r\d+)[wd]$/, '$1');
  const exchange = /^(lock )?xchg (.*), (.*)$/.exec(words);
  if (exchange === null) return words;
  const [, lock = '', a = '', b = ''] = exchange;
  return a === b && a.endsWith('ax') ? 'nop' : `${lock}xchg ${[a, b].sort().join(', ')}`;
}

/** Prefixes without effect are out of this test: it is about instructions as compilers and assemblers write them. */
function difference(bytes: Uint8Array, codeSize: CodeSize): string | undefined {
  const result = decode(bytes, codeSize);
  if (result.kind !== 'instruction') return undefined;
  const ours = disassemble(result.instruction, RIP),
    iced = askIced(bytes, codeSize, RIP).text;
  if (result.instruction.form.syntax === 'NOP r/mV, rV' && !iced.startsWith('nop')) return undefined;
  return plain(ours) === plain(iced) ? undefined : `${codeSize}: ${ours}   iced: ${iced}`;
}

describe('the disassembler', () => {
  test('agrees with iced-x86 on every line of the table, in every mode, size and operand shape', () => {
    const differences = formSamples().flatMap(({codeSize, bytes}) => difference(bytes, codeSize) ?? []);
    expect(differences.slice(0, 20)).toEqual([]);
  }, 120_000);

  test('agrees with iced-x86 on repeated and overridden string instructions', () => {
    const opcodes = [0x6c, 0x6d, 0x6e, 0x6f, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xd7];
    const prefixes = [[], [0xf3], [0xf2], [0x64], [0x65, 0xf3], [0x67, 0xf3], [0x66, 0x67, 0x64, 0xf2]];
    const differences = CODE_SIZES.flatMap(codeSize =>
      opcodes.flatMap(opcode =>
        prefixes.flatMap(prefix =>
          opcode === 0xd7 && prefix.some(byte => byte >= 0xf2)
            ? []
            : (difference(Uint8Array.from([...prefix, opcode]), codeSize) ?? []),
        ),
      ),
    );
    expect(differences).toEqual([]);
  });

  test('agrees with iced-x86 on random operands', () => {
    const random = new RandomBytes(7);
    const differences: string[] = [];
    for (const codeSize of CODE_SIZES) {
      for (let n = 0; n < 20_000; n++) {
        const bytes = Uint8Array.from({length: 16}, () => random.next(256));
        const result = decode(bytes, codeSize);
        if (result.kind !== 'instruction' || result.instruction.parts.prefixes[1] > 0) continue;
        const found = difference(bytes, codeSize);
        if (found !== undefined) differences.push(found);
      }
    }
    expect(differences.slice(0, 20)).toEqual([]);
  }, 60_000);

  const line = (bytes: readonly number[], rip: bigint | undefined, codeSize: CodeSize = 64): string => {
    const result = decode(Uint8Array.from(bytes), codeSize);
    if (result.kind !== 'instruction') throw new Error(result.kind);
    return disassemble(result.instruction, rip);
  };

  test('writes branch targets as addresses when it knows where the instruction is', () => {
    expect(line([0x75, 0xfe], 0x1000n)).toBe('jnz 0x1000');
    expect(line([0x75, 0xfe], undefined)).toBe('jnz $+0');
    expect(line([0xe9, 0x00, 0x01], 0xfff0n, 16)).toBe('jmp 0xf3');
  });

  test('writes RIP-relative addresses both ways', () => {
    const bytes = [0x48, 0x8b, 0x05, 0x10, 0, 0, 0];
    expect(line(bytes, 0x1000n)).toBe('mov rax, [rel 0x1017]');
    expect(line(bytes, undefined)).toBe('mov rax, [rip+0x10]');
  });
});
