import {gpa, hpa} from '@hyperscope/base';
import {expect, test} from 'vitest';
import type {MachineEvent, VmExitInformation} from '../observer.js';
import {EPT, HOST_RIP, machineWithGuest} from './testing/vmx-machine.js';
import type {VmxMachine} from './testing/vmx-machine.js';
import {createVmxUnit} from './unit.js';

const PRIMARY = 'PRIMARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';
const SECONDARY = 'SECONDARY_PROCESSOR_BASED_VM_EXECUTION_CONTROLS';

/** Launches, runs at most `steps` steps of the guest, and gives the exit if there was one. */
function exitOf(made: VmxMachine, steps = 8): VmExitInformation | undefined {
  made.vmx.enter('VMLAUNCH');
  for (let step = 0; step < steps && made.machine.registers.get('VMX_OPERATION') === 2n; step++) made.machine.step();
  const event = made.events.find((each): each is Extract<MachineEvent, {kind: 'vm-exit'}> => each.kind === 'vm-exit');
  return event?.exit;
}
const rules = (exit: VmExitInformation | undefined): readonly string[] | undefined =>
  exit?.checks.map(check => check.rule);
function setControl(made: VmxMachine, field: typeof PRIMARY | typeof SECONDARY, bit: number): void {
  made.vmcs.set(field, made.vmcs.get(field) | (1n << BigInt(bit)));
}

test('HLT exits with its length, the host is loaded and the guest saved', () => {
  const made = machineWithGuest([0xb8, 0x34, 0x12, 0xf4]); // mov ax, 1234h; hlt
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 12, guestRip: 0x8003n, instructionLength: 1});
  expect(rules(exit)).toEqual(['HLT exiting = 1']);
  const r = made.machine.registers;
  expect(r.get('RIP')).toBe(HOST_RIP);
  expect(r.get('RFLAGS')).toBe(2n);
  expect(r.get('CS.attributes')).toBe(0xa09bn);
  expect(r.get('IDTR.limit')).toBe(0xffffn);
  expect(r.get('RAX')).toBe(0x1234n);
  expect(made.vmcs.get('GUEST_RIP')).toBe(0x8003n);
  expect(made.vmcs.launchState).toBe('launched');
});

test('the I/O bitmap decides, and the check names bit and port', () => {
  const made = machineWithGuest([0xe4, 0x71, 0xe6, 0x80]); // in al, 71h; out 80h, al
  setControl(made, PRIMARY, 25);
  made.vmcs.set('IO_BITMAP_A_ADDRESS', 0x2_0000n);
  made.vmcs.set('IO_BITMAP_B_ADDRESS', 0x2_1000n);
  made.machine.memory.write(hpa(0x2_0010), 1, 1n); // port 80h
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 30, guestRip: 0x8002n, qualification: 0x80_0040n});
  expect(rules(exit)).toEqual(['use I/O bitmaps = 1', 'bit 0x80 of I/O bitmap A = 1']);
});

test('a word access exits if the second of its ports does', () => {
  const made = machineWithGuest([0xba, 0xff, 0x7f, 0xef]); // mov dx, 7fffh; out dx, ax
  setControl(made, PRIMARY, 25);
  made.vmcs.set('IO_BITMAP_A_ADDRESS', 0x2_0000n);
  made.vmcs.set('IO_BITMAP_B_ADDRESS', 0x2_1000n);
  made.machine.memory.write(hpa(0x2_1000), 1, 1n); // port 8000h
  expect(rules(exitOf(made))?.at(-1)).toBe('bit 0x0 of I/O bitmap B = 1');
});

test('without bitmaps, unconditional I/O exiting decides; without either, the guest has the port', () => {
  const free = machineWithGuest([0xe6, 0x80, 0xf4]);
  expect(exitOf(free)?.reason).toBe(12);
  const made = machineWithGuest([0xe6, 0x80, 0xf4]);
  setControl(made, PRIMARY, 24);
  expect(rules(exitOf(made))).toEqual(['use I/O bitmaps = 1', 'unconditional I/O exiting = 1']);
});

test('MOV to CR0 exits where it changes a bit that the host owns, and reads give the shadow', () => {
  const made = machineWithGuest([0x0f, 0x20, 0xc0, 0x66, 0x83, 0xc8, 0x01, 0x0f, 0x22, 0xc0]); // mov eax, cr0; or eax, 1; mov cr0, eax
  made.vmcs.set('CR0_GUEST_HOST_MASK', 0x21n);
  made.vmcs.set('CR0_READ_SHADOW', 0n);
  const exit = exitOf(made);
  expect(made.machine.registers.get('RAX')).toBe(0x11n); // ET from the register, NE and PE from the shadow, then PE set
  expect(exit).toMatchObject({reason: 28, qualification: 0n, instructionLength: 3});
  expect(rules(exit)?.[0]).toContain('CR0.PE');
});

test('a write of CR0 that changes nothing the host owns stays in the guest and keeps host-owned bits', () => {
  const made = machineWithGuest([0x66, 0xb8, 0x08, 0, 0, 0, 0x0f, 0x22, 0xc0, 0xf4]); // mov eax, 8 (TS); mov cr0, eax; hlt
  made.vmcs.set('CR0_GUEST_HOST_MASK', 0x20n);
  made.vmcs.set('CR0_READ_SHADOW', 0n);
  expect(exitOf(made)?.reason).toBe(12);
  expect(made.vmcs.get('GUEST_CR0') & 0x28n).toBe(0x28n);
});

test('MOV to CR3 exits unless the value is a CR3 target', () => {
  const code = [0x66, 0xb8, 0, 0x30, 0, 0, 0x0f, 0x22, 0xd8, 0xf4]; // mov eax, 3000h; mov cr3, eax; hlt
  const exits = machineWithGuest(code);
  setControl(exits, PRIMARY, 15);
  expect(exitOf(exits)).toMatchObject({reason: 28, qualification: 3n});
  const stays = machineWithGuest(code);
  setControl(stays, PRIMARY, 15);
  stays.vmcs.set('CR3_TARGET_COUNT', 1n);
  stays.vmcs.set('CR3_TARGET_VALUE_0', 0x3000n);
  expect(exitOf(stays)?.reason).toBe(12);
});

test('the MSR bitmap decides about RDMSR', () => {
  const code = [0x66, 0xb9, 0x80, 0, 0, 0xc0, 0x0f, 0x32, 0xf4]; // mov ecx, c0000080h; rdmsr; hlt
  const made = machineWithGuest(code);
  setControl(made, PRIMARY, 28);
  made.vmcs.set('MSR_BITMAP_ADDRESS', 0x2_0000n);
  made.machine.memory.write(hpa(0x2_0410), 1, 1n);
  const exit = exitOf(made);
  expect(exit?.reason).toBe(31);
  expect(exit?.checks.at(-1)?.values[0]?.[1]).toBe('0xc0000080 (IA32_EFER)');
});

test('an exception leaves the guest where its bit of the exception bitmap is 1', () => {
  const made = machineWithGuest([0x0f, 0x0b]); // ud2
  made.vmcs.set('EXCEPTION_BITMAP', 1n << 6n);
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 0, interruptionInformation: 0x8000_0306, guestRip: 0x8000n});
  expect(rules(exit)).toEqual(['bit 6 (#UD) of the exception bitmap = 1']);
});

test('a guest page that EPT does not map is an EPT violation with its qualification', () => {
  const made = machineWithGuest([0x66, 0x67, 0xa2, 0, 0, 0x20, 0]); // mov [200000h], al through a 4 GiB segment
  made.vmcs.set('GUEST_DS_LIMIT', 0xffff_ffffn);
  made.vmcs.set('GUEST_DS_ACCESS_RIGHTS', 0x8093n);
  const exit = exitOf(made);
  expect(exit).toMatchObject({
    reason: 48,
    qualification: 0x182n,
    guestPhysicalAddress: 0x20_0000,
    guestLinearAddress: 0x20_0000n,
  });
});

test('EPT permissions are the AND over all levels, and the qualification tells them', () => {
  const made = machineWithGuest([0xa2, 0, 0x10]); // mov [1000h], al
  made.machine.memory.write(hpa(EPT + 0x1000), 8, BigInt(EPT + 0x2000) | 5n); // R X at the third level
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 48, qualification: 0x182n | (5n << 3n)});
  expect(rules(exit)?.at(-1)).toBe('every level of the walk has W = 1');
});

test('a malformed EPT entry is a misconfiguration', () => {
  const made = machineWithGuest([0xf4]);
  made.machine.memory.write(hpa(EPT + 0x2000), 8, 0x86n | 0x30n); // writable, not readable
  expect(exitOf(made)).toMatchObject({reason: 49, guestPhysicalAddress: 0x8000});
});

test('the EPT walk maps 4 KiB, 2 MiB and 1 GiB pages and reports each entry it reads', () => {
  const made = machineWithGuest();
  const unit = createVmxUnit(made.machine.profile);
  const {memory} = made.machine;
  memory.write(hpa(EPT + 0x2008), 8, BigInt(EPT + 0x3000) | 7n);
  memory.write(hpa(EPT + 0x3018), 8, 0xabc_d037n);
  memory.write(hpa(EPT + 0x1008), 8, 0x8000_00b7n);
  const walk = (address: number): {readonly at: unknown; readonly levels: readonly number[]} => {
    const references: {level: number}[] = [];
    const found = unit.translate(
      made.machine,
      gpa(address),
      {kind: 'read', linear: 0n, purpose: 'translation'},
      Object.assign([], {push: (r: {level: number}) => references.push(r)}),
    );
    return {at: found, levels: references.map(reference => reference.level)};
  };
  expect(walk(0x20_3123)).toEqual({at: 0xabc_d123, levels: [4, 3, 2, 1]});
  expect(walk(0x1_2345)).toEqual({at: 0x1_2345, levels: [4, 3, 2]});
  expect(walk(0x4000_1000)).toEqual({at: 0x8000_1000, levels: [4, 3]});
});

test('accessed and dirty flags are set where the EPT pointer asks for them', () => {
  const made = machineWithGuest([0xa2, 0, 0x10, 0xf4]);
  made.vmcs.set('EPT_POINTER', made.vmcs.get('EPT_POINTER') | 0x40n);
  exitOf(made);
  expect(made.machine.memory.read(hpa(EPT), 8) & 0x300n).toBe(0x100n);
  expect(made.machine.memory.read(hpa(EPT + 0x2000), 8) & 0x300n).toBe(0x300n);
});

test('VMX instructions in the guest leave it whatever the controls say', () => {
  const made = machineWithGuest([0x0f, 0x01, 0xc1]); // vmcall
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 18, instructionLength: 3});
  expect(rules(exit)).toEqual(['VMCALL always leaves VMX non-root operation']);
});

test('a triple fault is exit reason 2', () => {
  const made = machineWithGuest([0x0f, 0x0b]);
  made.vmcs.set('GUEST_IDTR_LIMIT', 0n);
  expect(exitOf(made)).toMatchObject({reason: 2});
});

test('an injected exception runs through the guest’s own vector table', () => {
  const made = machineWithGuest([0x90]);
  made.machine.memory.write(hpa(6 * 4), 4, 0x9000n);
  made.machine.memory.load(hpa(0x9000), Uint8Array.of(0xf4));
  made.vmcs.set('VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0306n);
  expect(exitOf(made)).toMatchObject({reason: 12, guestRip: 0x9000n});
  expect(made.vmcs.get('VM_ENTRY_INTERRUPTION_INFORMATION') >> 31n).toBe(0n);
  expect(made.events[0]).toMatchObject({kind: 'vm-entry', injected: 6});
});

test('RDTSC in the guest has the TSC offset', () => {
  const made = machineWithGuest([0x0f, 0x31, 0xf4]);
  setControl(made, PRIMARY, 3);
  made.vmcs.set('TSC_OFFSET', 0x1_0000_0000n);
  exitOf(made);
  expect(made.machine.registers.get('RDX')).toBe(1n);
});

test('descriptor-table exiting tells displacement and registers', () => {
  const made = machineWithGuest([0x0f, 0x01, 0x97, 0x34, 0x12]); // lgdt [bx + 1234h]
  setControl(made, SECONDARY, 2);
  expect(exitOf(made)).toMatchObject({reason: 46, qualification: 0x1234n});
});

const PIN = 'PIN_BASED_VM_EXECUTION_CONTROLS';

test('the monitor trap flag ends the guest’s turn after one instruction', () => {
  const made = machineWithGuest([0x40, 0x40, 0x40, 0xf4]); // inc ax ×3
  setControl(made, PRIMARY, 27);
  const exit = exitOf(made);
  expect(exit).toMatchObject({reason: 37, guestRip: 0x8001n, instructionLength: 0});
  expect(made.machine.registers.get('RAX') & 0xffffn).toBe(1n);
});

test('an injected event is what the monitor trap flag allows: the exit comes before the handler’s first instruction', () => {
  const made = machineWithGuest([0x40, 0xf4]);
  setControl(made, PRIMARY, 27);
  made.machine.memory.write(hpa(4 * 0x21), 4, 0x9000n);
  made.vmcs.set('GUEST_IDTR_LIMIT', 0x3ffn);
  made.vmcs.set('GUEST_RFLAGS', 0x202n);
  made.vmcs.set('VM_ENTRY_INTERRUPTION_INFORMATION', 0x8000_0021n);
  expect(exitOf(made)).toMatchObject({reason: 37, guestRip: 0x9000n});
});

test('the preemption timer counts the time-stamp counter down by its rate, and its rest can be saved', () => {
  const made = machineWithGuest([0xeb, 0xfe]); // jmp $
  made.vmcs.set(PIN, made.vmcs.get(PIN) | (1n << 6n));
  made.vmcs.set('VMX_PREEMPTION_TIMER_VALUE', 4n);
  const before = made.machine.registers.get('TSC');
  expect(exitOf(made, 10_000)).toMatchObject({reason: 52, guestRip: 0x8000n});
  // The exit itself is charged too, so a little more than 4 × 2^5 cycles have passed.
  expect(made.machine.registers.get('TSC') - before).toBeGreaterThanOrEqual(4n << 5n);
  const other = machineWithGuest([0x90, 0xf4]);
  other.vmcs.set(PIN, other.vmcs.get(PIN) | (1n << 6n));
  other.vmcs.set('VM_EXIT_CONTROLS', other.vmcs.get('VM_EXIT_CONTROLS') | (1n << 22n));
  other.vmcs.set('VMX_PREEMPTION_TIMER_VALUE', 0x10_0000n);
  expect(exitOf(other)).toMatchObject({reason: 12});
  const rest = other.vmcs.get('VMX_PREEMPTION_TIMER_VALUE');
  expect(rest).toBeGreaterThan(0xf_0000n);
  expect(rest).toBeLessThanOrEqual(0x10_0000n);
});
