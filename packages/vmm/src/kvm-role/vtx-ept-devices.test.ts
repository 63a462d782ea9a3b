// Small guests that use the devices of a PC under the hypervisor: the same programs as on bare metal, with the interrupt
// controllers in QEMU and in KVM.

import {hex} from '@hyperscope/base';
import {exitReasonName} from '@hyperscope/isa';
import {describe, expect, test} from 'vitest';
import type {ConformanceCase} from '../conformance/conformance-case.js';
import {listing} from '../conformance/listing.js';
import {startImage} from '../conformance/start-state.js';
import {TEST_PORTS, runToEnd} from '../testing/run-guest.js';
import type {AnyEvent, FinishedRun} from '../testing/run-guest.js';
import {GUEST_RAM} from '../host/host-layout.js';
import type {IrqchipPlace} from './virtual-chipset.js';
import {HypervisorRun} from './hypervisor-run.js';
import {vtxEpt} from './vmx/vtx-ept.js';

type Mode = ConformanceCase['mode'];

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const STEPS = 40_000;

function start(
  irqchip: IrqchipPlace,
  mode: Mode,
  code: string,
  handlers: Readonly<Record<number, string>> = {},
  disk?: Uint8Array,
): HypervisorRun {
  const bytes: Record<number, Uint8Array> = {};
  for (const [vector, source] of Object.entries(handlers)) bytes[Number(vector)] = listing(source);
  return new HypervisorRun(
    {
      image: startImage({title: '', mode, code: listing(code), handlers: bytes, expect: {}}),
      ports: TEST_PORTS,
      profile: undefined,
      costModel: undefined,
      disks: disk === undefined ? [] : [disk],
    },
    vtxEpt({}, {irqchip}),
  );
}
const exits = ({events}: FinishedRun): readonly string[] =>
  events
    .flatMap(event => (event.kind === 'vm-exit' ? [exitReasonName(event.exit.reason & 0xffff)] : []))
    .filter(name => name !== 'EPT_VIOLATION'); // They depend on what was touched before.
const ofKind = <K extends AnyEvent['kind']>({events}: FinishedRun, kind: K): readonly Extract<AnyEvent, {kind: K}>[] =>
  events.filter((event): event is Extract<AnyEvent, {kind: K}> => event.kind === kind);
const injections = (run: FinishedRun): readonly string[] =>
  ofKind(run, 'injection').map(({vector, decision}) => `${hex(vector)} ${decision}`);

/** IRQ 0 to 7 at vectors 18h to 1Fh, of which `mask` stay off. */
const pic = (mask: string): string => `
  fa                            ; cli
  b0 11 e6 20 b0 18 e6 21 b0 04 e6 21 b0 01 e6 21 ; ICW1 to ICW4
  b0 ${mask} e6 21              ; OCW1
`;
/** 1193 ticks: a thousand interrupts a second. */
const PIT = 'b0 34 e6 43 b0 a9 e6 40 b0 04 e6 40';
const TICK: Readonly<Record<Mode, string>> = {
  real: '43 b0 20 e6 20 cf', // inc bx / mov al, 20h / out 20h, al / iret
  protected: '43 b0 20 e6 20 cf',
  long: 'ff c3 b0 20 e6 20 48 cf',
};
const sleepThrice = (mode: Mode): string => `
  31 db fb                      ; xor ebx, ebx / sti
  f4                            ; again: hlt
  b0 30 00 d8                   ; mov al, '0' / add al, bl
  ${mode === 'real' ? 'ba f8 03' : '66 ba f8 03'} ee ; mov dx, 3f8h / out dx, al
  80 fb 03                      ; cmp bl, 3
  75 ${mode === 'real' ? 'f2' : 'f1'} ; jne again
  fa f4                         ; cli / hlt
`;

describe.each(['user', 'kernel'] as const)('interrupt controllers in %s space', place => {
  test.each(['real', 'protected', 'long'] as const)('three timer interrupts in %s mode, by PIC and PIT', mode => {
    const run = start(place, mode, pic('fe') + PIT + sleepThrice(mode), {0x18: TICK[mode]});
    const finished = runToEnd(run, STEPS);
    expect([finished.outcome, text(run.serialOutput())]).toEqual([{kind: 'halted'}, '123']);
    expect(injections(finished)).toEqual(['0x18 injected', '0x18 injected', '0x18 injected']);
    const ticks = (3 * 1193 * 2_660_000_000) / 1_193_182;
    expect(run.machine.cycles).toBeGreaterThan(ticks);
    expect(run.machine.cycles).toBeLessThan(1.1 * ticks);
  });

  test('a running guest is left by the host’s timer, and the guest’s interrupt is injected', () => {
    // A count of 16 is some 36,000 cycles: so often does JMP $ run before.
    const run = start(place, 'real', `${pic('fe')} b0 14 e6 43 b0 10 e6 40 fb eb fe`, {0x18: 'fa f4'});
    const finished = runToEnd(run, 80_000);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(exits(finished).slice(-2)).toEqual(['EXTERNAL_INTERRUPT', 'HLT']);
    expect(injections(finished)).toEqual(['0x18 injected']);
  });

  test('with RFLAGS.IF = 0 the interrupt waits, and the window is told by an exit', () => {
    // A tick of 16 counts; dec cx / jnz runs far longer with interrupts off; then sti / nop / jmp $.
    const run = start(place, 'real', `${pic('fe')} b0 14 e6 43 b0 10 e6 40 b9 00 f0 49 75 fd fb 90 eb fe`, {
      0x18: 'fa f4',
    });
    const finished = runToEnd(run, 200_000);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(injections(finished)).toEqual(['0x18 window-requested', '0x18 injected']);
    expect(exits(finished).slice(-3)).toEqual(['EXTERNAL_INTERRUPT', 'INTERRUPT_WINDOW', 'HLT']);
  });

  test('STI shields one instruction: the interrupt that waits comes behind it', () => {
    // Wait until the request is in the 8259 (OCW3, IRR); mov bx, 7 / sti / inc bx / inc bx / inc bx / cli / hlt
    const code = `${pic('fe')} b0 30 e6 43 b0 10 e6 40 b0 00 e6 40 b0 0a e6 20 e4 20 a8 01 74 fa bb 07 00 fb 43 43 43 fa f4`;
    const run = start(place, 'real', code, {0x18: '89 d9 cf'}); // mov cx, bx / iret
    expect(runToEnd(run, STEPS).outcome).toEqual({kind: 'halted'});
    expect(run.guestRegisters()).toMatchObject({RBX: 10n, RCX: 8n});
  });

  test('a masked line interrupts nobody, and HLT does not wait for it, nor with RFLAGS.IF = 0', () => {
    for (const code of [`${pic('ff')}${PIT} fb f4`, `${pic('fe')}${PIT} fa f4`]) {
      const finished = runToEnd(start(place, 'real', code), STEPS);
      expect([finished.outcome, injections(finished)]).toEqual([{kind: 'halted'}, []]);
    }
  });

  test('three interrupts of the local APIC’s own timer, whose registers are reached by emulated instructions', () => {
    const run = start(
      place,
      'protected',
      `
        c7 05 f0 00 e0 fe ff 01 00 00 ; mov dword [fee000f0h], 1ffh     spurious vector, enable
        c7 05 e0 03 e0 fe 0b 00 00 00 ; mov dword [fee003e0h], 0bh      divide by 1
        c7 05 20 03 e0 fe 1f 00 02 00 ; mov dword [fee00320h], 2001fh   periodic
        c7 05 80 03 e0 fe 40 42 0f 00 ; mov dword [fee00380h], 1000000
        ${sleepThrice('protected')}
      `,
      {0x1f: 'ff c3 c7 05 b0 00 e0 fe 00 00 00 00 cf'}, // inc ebx / mov dword [fee000b0h], 0 / iret
    );
    const finished = runToEnd(run, STEPS);
    expect([finished.outcome, text(run.serialOutput())]).toEqual([{kind: 'halted'}, '123']);
    expect(ofKind(finished, 'emulation').every(({outcome}) => outcome === 'completed')).toBe(true);
    const routes = ofKind(finished, 'exit-handled').filter(
      ({why}) => why.includes('local APIC') || why.includes('do it all'),
    );
    expect(new Set(routes.map(({route}) => route))).toEqual(new Set([place === 'kernel' ? 'kvm' : 'user-space']));
  });

  test('an NMI that comes while one is handled is told by an NMI-window exit', () => {
    const nmi = 'c7 05 00 03 e0 fe 00 44 00 00'; // mov dword [fee00300h], 4400h: an NMI to APIC 0
    const enable = 'c7 05 f0 00 e0 fe ff 01 00 00';
    // mov ebx, 1 / …; the handler: dec ebx / js done / another NMI / done: iret
    const run = start(place, 'protected', `${enable} bb 01 00 00 00 ${nmi} 90 f4`, {2: `4b 78 0a ${nmi} cf`});
    const finished = runToEnd(run, STEPS);
    expect([finished.outcome, run.guestRegisters().RBX]).toEqual([{kind: 'halted'}, 0xffff_ffffn]);
    expect(injections(finished)).toEqual(['0x2 injected', '0x2 window-requested', '0x2 injected']);
    expect(exits(finished).filter(name => name.includes('WINDOW'))).toEqual(['NMI_WINDOW']);
  });

  test('a key that is pressed interrupts a running guest, and its scan code is read at 60h', () => {
    const run = start(place, 'real', `${pic('fd')} fb eb fe`, {0x19: 'e4 60 e6 80 fa f4'});
    for (let step = 0; step < 3000; step++) expect(run.step().outcome).toBeUndefined();
    run.chipset.keyboard.type(Uint8Array.of(0x1e));
    const finished = runToEnd(run, STEPS);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(run.captured(0x80)).toEqual(Uint8Array.of(0x1e));
    expect(exits(finished)[0]).toBe('EXTERNAL_INTERRUPT');
    const calls = ofKind(finished, 'ioctl').filter(({direction}) => direction === 'call');
    expect(calls.map(({name}) => name)).toContain(place === 'kernel' ? 'KVM_IRQ_LINE' : 'KVM_INTERRUPT');
  });

  test('a byte on the serial line interrupts through IRQ 4', () => {
    const code = `${pic('ef')}
      ba fc 03 b0 08 ee             ; OUT2
      ba f9 03 b0 01 ee             ; received data
      fb eb fe`;
    const run = start(place, 'real', code, {0x1c: 'ba f8 03 ec e6 80 fa f4'});
    for (let step = 0; step < 3000; step++) run.step();
    run.sendSerial(Uint8Array.of(0x5a));
    expect(runToEnd(run, STEPS).outcome).toEqual({kind: 'halted'});
    expect(run.captured(0x80)).toEqual(Uint8Array.of(0x5a));
  });

  test('a boot loader reads a sector of the disk, word by word', () => {
    const disk = new Uint8Array(4 * 512);
    disk.set(new TextEncoder().encode('second sector'), 512);
    const code = `
      ba f2 01 b0 01 ee 42 b0 01 ee 42 b0 00 ee 42 ee 42 b0 e0 ee 42 b0 20 ee ; READ SECTORS of sector 1
      ec a8 08 74 fb                ; wait for DRQ
      31 c0 8e c0 bf 00 90          ; es:di = 0:9000h
      b9 00 01 ba f0 01 f3 6d f4    ; rep insw
    `;
    const run = start(place, 'real', code, {}, disk);
    expect(runToEnd(run, STEPS).outcome).toEqual({kind: 'halted'});
    expect(text(run.machine.memory.bytes.subarray(GUEST_RAM + 0x9000, GUEST_RAM + 0x900d))).toBe('second sector');
  });

  test('an interrupt at every tick while the guest works gives the same guest, run for run, and undone it is where it began', () => {
    const run = start(place, 'long', pic('fe') + PIT + sleepThrice('long'), {0x18: TICK.long});
    const first = run.banks.map(bank => bank.bytes.slice());
    const differing = (): string[] =>
      run.banks.flatMap(({name, bytes}, index) =>
        Buffer.compare(bytes, first[index] ?? new Uint8Array()) === 0 ? [] : [name],
      );
    const undo: (() => void)[] = [];
    run.observe({
      willWrite: (name, offset, length) => {
        const bytes = run.banks.find(bank => bank.name === name)?.bytes;
        const old = bytes?.slice(offset, offset + length);
        undo.push(() => void (old !== undefined && bytes?.set(old, offset)));
      },
      event: () => undefined,
      hypervisorEvent: () => undefined,
    });
    for (let steps = 0; text(run.serialOutput()) !== '123' && steps < STEPS; steps++) run.step();
    expect(text(run.serialOutput())).toBe('123');
    while (undo.length > 0) undo.pop()?.();
    run.banks[0]?.bytes.set(first[0] ?? new Uint8Array());
    expect(differing()).toEqual([]);
  });
});

describe('the instruction emulator', () => {
  test('text at B8000 reaches the video card in QEMU, write by write', () => {
    const run = start('user', 'real', 'b8 00 b8 8e d8 c7 06 00 00 48 1f f4'); // mov word [0], 1f48h with DS = b800h
    const finished = runToEnd(run);
    expect(finished.outcome).toEqual({kind: 'halted'});
    const screen = run.chipset.vga.screen(run.machine.memory.bytes.subarray(GUEST_RAM));
    expect(screen.cells[0]).toEqual({character: 0x48, attribute: 0x1f});
    expect(ofKind(finished, 'emulation')).toEqual([
      expect.objectContaining({rip: 0x8005n, text: 'mov word [0], 0x1f48', outcome: 'completed'}),
    ]);
    expect(ofKind(finished, 'kvm-exit').map(({exit}) => exit.reason)).toEqual(['mmio', 'hlt']);
    expect(ofKind(finished, 'host-step').map(({sentence}) => sentence)).toContain(
      'VGA text memory: 0x1f48 is written to GPA 0xb8000',
    );
  });

  test('a read-modify-write asks user space twice, and the flags are the processor’s', () => {
    const run = start('user', 'real', 'b8 00 b8 8e d8 c6 06 00 00 ff 80 06 00 00 01 9c 58 f4');
    const finished = runToEnd(run); // mov byte [0], ffh / add byte [0], 1 / pushf / pop ax
    expect(finished.outcome).toEqual({kind: 'halted'});
    const mmio = ofKind(finished, 'kvm-exit').flatMap(({exit}) => (exit.reason === 'mmio' ? [exit.direction] : []));
    expect(mmio).toEqual(['write', 'read', 'write']);
    expect(ofKind(finished, 'emulation').map(({outcome, accesses}) => [outcome, accesses.length])).toEqual([
      ['completed', 1],
      ['needs-user-space', 1],
      ['completed', 2],
    ]);
    expect((run.guestRegisters().RAX ?? 0n) & 0x41n).toBe(0x41n); // ZF and CF
    expect(run.machine.memory.bytes[GUEST_RAM + 0xb_8000]).toBe(0);
  });

  test('REP STOSW and REP MOVSW go round by round; from video memory to video memory too', () => {
    const code = `
      b8 00 b8 8e d8 8e c0 fc         ; ds = es = b800h / cld
      31 ff b9 03 00 b8 41 07 f3 ab   ; di = 0 / cx = 3 / ax = 0741h / rep stosw
      31 f6 b9 02 00 f3 a5 f4         ; si = 0 / cx = 2 / rep movsw`;
    const run = start('user', 'real', code);
    expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
    const at = GUEST_RAM + 0xb_8000;
    expect([...run.machine.memory.bytes.subarray(at, at + 12)]).toEqual([65, 7, 65, 7, 65, 7, 65, 7, 65, 7, 0, 0]);
    expect(run.guestRegisters()).toMatchObject({RCX: 0n, RDI: 10n, RSI: 4n});
  });

  test('a fault of an emulated instruction is the guest’s: the stack segment’s limit comes before the device', () => {
    // mov [es:di], ax with ES = b800h, then push word [es:ffffh]: an operand past the limit is #GP
    const run = start('user', 'real', 'b8 00 b8 8e c0 26 ff 36 ff ff f4', {13: 'e6 80 fa f4'});
    const finished = runToEnd(run);
    expect(finished.outcome).toEqual({kind: 'halted'});
    expect(run.captured(0x80)).toHaveLength(1);
  });

  test('where nothing answers, reads give all ones and writes are lost, as on bare metal', () => {
    const run = start('user', 'protected', 'a1 00 00 00 f0 c7 05 00 00 00 f0 78 56 34 12 f4'); // mov eax, [f0000000h] …
    expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
    expect(run.guestRegisters().RAX).toBe(0xffff_ffffn);
  });

  test('single-stepping over an emulated instruction traps behind it', () => {
    const code = `
      b8 00 b8 8e d8                ; ds = b800h
      9c 58 80 cc 01 50 9d          ; pushf / pop ax / or ah, 1 / push ax / popf: TF
      c6 06 00 00 41 f4             ; mov byte [0], 41h / hlt`;
    const run = start('user', 'real', code, {1: '58 e7 80 fa f4'}); // pop ax: the IP behind MOV
    expect(runToEnd(run).outcome).toEqual({kind: 'halted'});
    expect((run.guestRegisters().RAX ?? 0n) & 0xffffn).toBe(0x8011n);
  });

  test('a fetch where no memory is ends the run in words', () => {
    const {outcome} = runToEnd(start('user', 'protected', 'ea 00 00 00 f0 08 00')); // jmp 8:f0000000h
    expect(outcome?.kind === 'unsupported' ? outcome.what : '').toContain('no instruction can be fetched there');
  });
});
