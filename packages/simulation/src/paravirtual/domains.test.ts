// Small ported kernels: what each hypercall answers, good and bad; what a guest in ring 3 cannot do; how traps, system calls and events
// come to it; and that a record can go back over all of it.

import {createHash} from 'node:crypto';
import {describe, expect, test} from 'vitest';
import {ofKind, runDomain, startDomain} from './domain-run.js';
import type {DomainRun} from './domain-run.js';
import {ParavirtualRun} from '@hyperscope/vmm';
import {NO_PORTS} from '../session/session.js';

/** The answers to all hypercalls but the last, which switches off. */
const results = ({hypercalls}: DomainRun): readonly (bigint | undefined)[] =>
  hypercalls.slice(0, -1).map(({result}) => result);
const decided = ({hypercalls}: DomainRun, index = 0): string => hypercalls[index]?.checks.at(-1)?.rule ?? '';

test('the kernel begins in ring 3, in 64-bit mode, with a start-info page, and can switch off', () => {
  const {run, outcome, hypercalls} = runDomain('mov r12, [rbx]\nmov r13, cs');
  expect(outcome).toEqual({kind: 'power-off'});
  const {R12, R13, CPL, CR3} = run.guestRegisters();
  expect(new TextDecoder().decode(new Uint8Array(new BigUint64Array([R12 ?? 0n]).buffer))).toBe('xen-3.0-');
  expect([R13, CPL]).toEqual([0xe033n, 3n]);
  expect(CR3).toBeGreaterThan(0x100_0000n);
  expect(hypercalls.map(({number, name, args}) => [number, name, args.at(-1)])).toEqual([
    [29, 'sched_op', ['reason', 'SHUTDOWN_poweroff']],
  ]);
});

describe('a hypercall', () => {
  test('that is not there gives -ENOSYS', () => {
    const done = runDomain('hypercall 20\nhypercall 63');
    expect(results(done)).toEqual([-38n, -38n]);
    expect(done.hypercalls[0]?.why).toBe('grant_table_op is not part of this hypervisor');
    expect(done.hypercalls[1]).toMatchObject({name: undefined, why: 'Xen knows no such hypercall'});
  });

  test('prints, or says that it cannot read the text', () => {
    const done = runDomain(
      'xor edi, edi\nmov esi, 2\nmov edx, text\nhypercall 18\nxor edi, edi\nmov esi, 2\nmov rdx, 0xffff82d080000000\nhypercall 18\nxor edi, edi\nmov esi, 2\nmov edx, 0x40000000\nhypercall 18',
      'text: db "Hi"',
    );
    expect(results(done)).toEqual([0n, -14n, -14n]);
    expect(new TextDecoder().decode(done.run.serialOutput())).toBe('Hi');
    expect(decided(done, 1)).toBe('the guest can reach the text by its own tables, in ring 3');
  });

  test('with an argument that is none is refused with the rule it breaks', () => {
    const done = runDomain(
      `
        mov edi, 9
        hypercall 25            ; set_segment_base of a register that is not there
        mov edi, 2
        mov rsi, 0x8000000000000000
        hypercall 25            ; not canonical
        mov edi, 3
        mov esi, 1
        hypercall 24            ; virtual processor 1
        mov edi, 1
        mov esi, virq
        hypercall 32            ; VIRQ 99
        mov edi, 5
        mov esi, poweroff
        hypercall 32
        mov edi, 7
        hypercall 29
        mov edi, 7
        mov esi, callback
        hypercall 30
        xor edi, edi
        mov esi, callback
        hypercall 30`,
      'virq: dd 99, 0, 0\ncallback: dw 9, 0, 0, 0\n dq start',
    );
    expect(results(done)).toEqual([-22n, -22n, -2n, -22n, -38n, -38n, -38n, -38n]);
    for (const {checks} of done.hypercalls.slice(0, -1)) expect(checks.at(-1)?.holds).toBe(false);
  });

  test('reads its structures from where the guest may read, only', () => {
    const bad = 'mov edi, 1\nmov rsi, 0x7fffffffffff000\n';
    const done = runDomain(`
        mov rdi, 0x123456789000
        hypercall 0
        ${bad}
        hypercall 32
        mov edi, 2
        mov rsi, 0x123456789000
        hypercall 29
        xor edi, edi
        mov rsi, 0x123456789000
        hypercall 30
        mov rdi, 0x123456789000
        mov esi, 1
        xor edx, edx
        mov r10d, 0x7ff0
        hypercall 1
        mov rdi, 0x123456789000
        hypercall 26`);
    expect(results(done)).toEqual([-14n, -14n, -14n, -14n, -14n, -14n]);
  });
});

describe('page tables', () => {
  test('are read-only for the guest: a store into one is a page fault of its own', () => {
    const done = runDomain(
      'mov edi, traps\nhypercall 0\nmov rax, [rbx + 88]\nmov qword [rax], 0\nfault: mov r12, [rsp + 16]\nmov r13, [rsp + 24]',
      'traps: db 14, 4\n dw 0xe033\n dd 0\n dq fault\n dq 0, 0',
    );
    const [callback] = ofKind(done.events, 'guest-callback');
    expect(callback).toMatchObject({cause: 'trap', name: '#PF', from: 'kernel'});
    // Present, a write, and not from a program: the processor's own code says ring 3.
    expect(done.run.guestRegisters().R12).toBe(3n);
    expect(ofKind(done.events, 'exception')[0]?.errorCode).toBe(7);
  });

  test('a batch of updates is one hypercall; where one is refused the rest is not done, and the guest is told how many were', () => {
    const done = runDomain(
      `
        mov rcx, [rbx + 88]
        add rcx, 0x3000         ; the L1 table
        mov rax, [rbx + 104]
        mov rsi, rcx
        shr rsi, 12
        mov rdx, [rax + rsi * 8]
        shl rdx, 12             ; its machine address
        lea rdi, [rdx + 0x20 * 8]
        mov [requests], rdi
        lea rdi, [rdx + 0x21 * 8]
        mov [requests + 16], rdi
        mov [requests + 32], rdx
        mov qword [requests + 8], 0
        mov rax, [rax + 0x22 * 8]
        shl rax, 12
        or rax, 3
        mov [requests + 24], rax
        lea rax, [rdx + 3]
        mov [requests + 40], rax ; itself, writable
        mov edi, requests
        mov esi, 3
        mov edx, done
        mov r10d, 0x7ff0
        hypercall 1
        mov r12d, [done]`,
      'align 8\ndone: dd 0, 0\nrequests: dq 0, 0, 0, 0, 0, 0',
    );
    expect(results(done)).toEqual([-16n]);
    expect(done.run.guestRegisters().R12).toBe(2n);
    expect(
      ofKind(done.events, 'page-table-update').map(({level, error, position}) => [level, error, position]),
    ).toEqual([
      [1, undefined, [1, 3]],
      [1, undefined, [2, 3]],
      [1, 'EBUSY', [3, 3]],
    ]);
    expect(ofKind(done.events, 'ring').filter(({how}) => how === 'SYSCALL')).toHaveLength(2);
    expect(done.hypercalls[0]?.why).toContain('2 of 3 updates were done before');
  });

  test('a root that is no L4 table is refused as CR3, and the old one stays', () => {
    const done = runDomain(
      `
        mov rax, [rbx + 104]
        mov rax, [rax + 0x30 * 8]
        mov [operation + 8], rax
        mov edi, operation
        mov esi, 1
        xor edx, edx
        mov r10d, 0x7ff0
        hypercall 26`,
      'align 8\noperation: dd 5, 0\n dq 0, 0',
    );
    expect(results(done)).toEqual([-22n]);
    expect(done.hypercalls[0]?.why).toContain('MMUEXT_NEW_BASEPTR');
    expect(done.outcome).toEqual({kind: 'power-off'});
  });

  test('another domain’s frames are not for this one to name', () => {
    const done = runDomain('mov edi, start\nmov esi, 1\nxor edx, edx\nmov r10d, 3\nhypercall 1');
    expect(results(done)).toEqual([-1n]);
  });

  test('update_va_mapping changes what an address shows, at once where it is asked to flush', () => {
    const done = runDomain(`
        mov r12b, [0x30000]
        mov byte [0x31000], 7
        mov rax, [rbx + 104]
        mov rsi, [rax + 0x31 * 8]
        shl rsi, 12
        or rsi, 3
        mov edi, 0x30000
        mov edx, 2
        hypercall 14
        movzx r12d, byte [0x30000]
        mov rdi, 0x7f0000000000
        hypercall 14`);
    expect(results(done)).toEqual([0n, -22n]);
    expect(done.run.guestRegisters().R12).toBe(7n);
  });
});

describe('what ring 3 cannot do', () => {
  const attack = (code: string): DomainRun =>
    runDomain(
      `mov edi, traps\nhypercall 0\n${code}\n ud2\ncaught: mov r15d, 1`,
      `
traps:  db 13, 4
        dw 0xe033
        dd 0
        dq caught
        db 14, 4
        dw 0xe033
        dd 0
        dq caught
        dq 0, 0`,
    );
  test.each([
    ['CLI', 'cli', '#GP'],
    ['HLT', 'hlt', '#GP'],
    ['MOV to CR3', 'mov cr3, rax', '#GP'],
    ['OUT', 'out 0x80, al', '#GP'],
    ['WRMSR of anything but the hypercall page', 'mov ecx, 0xc0000082\nwrmsr', '#GP'],
    ['INT 14, which the trap table opens to nobody', 'int 14', '#GP'],
    ['a look at Xen', 'mov rax, [0xffff82d080000000]', '#PF'],
  ])('%s', (_, code, name) => {
    const done = attack(
      code
        .replace('[0xffff82d080000000]', '[rdx]')
        .replace(/^mov rax, \[rdx\]/, 'mov rdx, 0xffff82d080000000\nmov rax, [rdx]'),
    );
    expect(done.outcome).toEqual({kind: 'power-off'});
    expect(done.run.guestRegisters().R15).toBe(1n);
    expect(ofKind(done.events, 'guest-callback').map(each => each.name)).toEqual([name]);
  });

  test('without a handler the domain is crashed, with a sentence', () => {
    expect(runDomain('ud2').outcome).toEqual({
      kind: 'error',
      message: expect.stringMatching(
        /^Xen crashed the domain: #UD in the kernel at 0x7c03, and the trap table has no entry/,
      ),
    });
  });

  test.each([
    ['an iret without a frame', 'mov rsp, 0x40000000\nhypercall 23', /finds no iret_context/],
    ['an iret into other segments', 'mov rsp, 0x20000\nhypercall 23', /only Xen’s flat segments/],
    [
      'an iret to a program without a root',
      'push 0xe02b\npush 0\npush 0x202\npush 0xe033\npush start\npush 0\npush 0\npush 0\npush 0\nhypercall 23',
      /no root for programs/,
    ],
    [
      'a trap on a stack that is not there',
      'mov edi, traps\nhypercall 0\nmov rsp, 0x40000000\nud2\ntraps: db 6, 4\ndw 0xe033\ndd 0\ndq start\ndq 0, 0',
      /cannot be written/,
    ],
  ])('%s ends the domain', (_, code, message) => {
    const {outcome} = runDomain(code);
    expect(outcome).toEqual({kind: 'error', message: expect.stringMatching(message)});
  });
});

describe('the hypercall page', () => {
  const ASK = 'machine hypercalls\nmov rdx, rax\nshr rdx, 32\nmov ecx, 0x40000000\nwrmsr';
  const PAGE = 'times -($ - $$ + 0x7c00) & 0xfff db 0\nhypercalls: times 4096 db 0';
  test('is written by Xen when the MSR is, and calls through it keep RCX and R11', () => {
    const done = runDomain(
      `${ASK}\nmov rcx, 5\nmov r11, 6\nxor edi, edi\ncall hypercalls + 17 * 32\nmov r12, rcx\nmov r13, r11\nmov r14, rax`,
      PAGE,
    );
    expect(done.outcome).toEqual({kind: 'power-off'});
    expect(done.run.guestRegisters()).toMatchObject({R12: 5n, R13: 6n, R14: 0x4_0011n});
  });
  test('is not written into a frame that is none of the guest’s', () => {
    const done = runDomain('xor eax, eax\nxor edx, edx\nmov ecx, 0x40000000\nwrmsr');
    expect(done.outcome).toMatchObject({kind: 'error'});
  });
});

const TICKS = `
        mov edi, shared_info
        mov rsi, [rbx + 40]
        or rsi, 3
        mov edx, 2
        hypercall 14
        xor edi, edi
        mov esi, callback
        hypercall 30
        mov edi, 1
        mov esi, virq
        hypercall 32
        mov rdi, [shared_info + 0x30]
        add rdi, 50000
        hypercall 15
        mov edi, 1
        hypercall 29            ; SCHEDOP_block
        mov r13b, [shared_info + 1]`;
const TICKS_DATA = `
event:  add rsp, 16             ; RCX and R11
        inc r12
        mov byte [shared_info], 0
        mov qword [shared_info + 8], 0
        mov qword [shared_info + 0x800], 0
        mov r14b, [shared_info + 1]
        push 0                  ; iret_context: flags, rcx, r11, rax
        push 0
        push 0
        push 0
        hypercall 23
callback: dw 0, 0, 0, 0
        dq event
virq:   dd 0, 0, 0
        times -($ - $$ + 0x7c00) & 0xfff db 0
shared_info: times 4096 db 0`;

test('the timer’s event wakes a guest that waits, is told once, with events masked meanwhile', () => {
  const done = runDomain(`xor r12d, r12d\nxor r13d, r13d\nxor r14d, r14d\n${TICKS}`, TICKS_DATA);
  expect(done.outcome).toEqual({kind: 'power-off'});
  const {R12, R13, R14} = done.run.guestRegisters();
  expect([R12, R13, R14]).toEqual([1n, 0n, 1n]);
  expect(ofKind(done.events, 'guest-callback').map(({cause, name}) => [cause, name])).toEqual([
    ['event', 'VIRQ_TIMER on port 1'],
  ]);
});

test('a guest that waits for nothing has halted', () => {
  expect(runDomain('mov edi, 1\nhypercall 29').outcome).toEqual({kind: 'halted'});
});

test('what a step changes was announced before: undoing the announcements gives the first state back', () => {
  const run = startDomain(TICKS, TICKS_DATA);
  const digest = (): string => {
    const hash = createHash('sha256');
    for (const {bytes} of run.banks) hash.update(bytes);
    return hash.digest('hex');
  };
  const first = digest();
  const before: {readonly bytes: Uint8Array; readonly offset: number; readonly was: Uint8Array}[] = [];
  run.observe({
    willWrite: (name, offset, length) => {
      const bank = run.banks.find(each => each.name === name);
      if (bank !== undefined) before.push({bytes: bank.bytes, offset, was: bank.bytes.slice(offset, offset + length)});
    },
    event: () => undefined,
    hypervisorEvent: () => undefined,
  });
  const registers = run.banks[0]?.bytes.slice();
  for (let step = 0; step < 5000 && run.step().outcome === undefined; step++);
  expect(digest()).not.toBe(first);
  for (const {bytes, offset, was} of before.toReversed()) bytes.set(was, offset);
  // The register bank announces itself by the step.
  run.banks[0]?.bytes.set(registers ?? new Uint8Array());
  expect(digest()).toBe(first);
});

test('an unported kernel and a processor without 64-bit mode are refused', () => {
  const options = {ports: NO_PORTS, profile: undefined, costModel: undefined};
  const image = {memoryBytes: 0x10_0000, segments: [], registers: {}};
  expect(() => new ParavirtualRun({...options, image})).toThrow(/ported to Xen’s hypercalls.*mini-os-pv/);
  const ported = {...image, startedBy: 'xen'} as const;
  expect(() => new ParavirtualRun({...options, image: ported, profile: 'pentium-iii'})).toThrow(/no 64-bit mode/);
  expect(() => new ParavirtualRun({...options, image: {...ported, memoryBytes: 0x2000}})).toThrow(
    /do not fit its memory/,
  );
});
