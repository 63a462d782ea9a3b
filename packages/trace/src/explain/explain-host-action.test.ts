import {describe, expect, test} from 'vitest';
import type {Step, TraceEvent} from '../record-format.js';
import {explainStep} from './explain-step.js';

const step: Step = {index: 19, who: 'hypervisor', kind: 'host-action', rip: 0n, length: 0, cycle: 0};
const said = (routine: string, sentence: string): TraceEvent => ({
  kind: 'host-step',
  actor: 'hypervisor',
  routine,
  sentence,
});
const vmx = (name: string, field: string, value: string): TraceEvent => ({
  kind: 'vmx-instruction',
  name,
  outcome: 'VMsucceed',
  error: undefined,
  operands: [
    ['field', field],
    ['value', value],
  ],
  checks: [],
});

describe('a step of the hypervisor', () => {
  test('is told by its routine, and its VMWRITEs are summed up once', () => {
    const fields = ['A', 'B', 'C', 'D', 'E', 'F'].map((name, i) => vmx('VMWRITE', `FIELD_${name}`, `0x${i}`));
    const told = explainStep(step, [...fields, said('init_vmcs', 'VMWRITE the controls: pin 0x3f')]);
    expect(told.title).toBe('Step 20 · init_vmcs: VMWRITE the controls: pin 0x3f');
    expect(told.sentences).toEqual([
      'VMWRITE the controls: pin 0x3f.',
      'It wrote 6 VMCS fields: FIELD_A = 0x0, FIELD_B = 0x1, FIELD_C = 0x2, FIELD_D = 0x3 and 2 more.',
    ]);
  });
  test('says in words what it is for, and does not repeat the field that it has named', () => {
    const told = explainStep(step, [
      vmx('VMREAD', 'EXIT_REASON', '0x30'),
      said('vmx_handle_exit', 'read EXIT_REASON: 48, EPT violation'),
    ]);
    expect(told.title).toBe('Step 20 · vmx_handle_exit reads why the guest left');
    expect(told.sentences).toEqual(['Read EXIT_REASON: 48, EPT violation.']);
  });
  test('decodes an exit reason that its routine did not', () => {
    const told = explainStep(step, [vmx('VMREAD', 'EXIT_REASON', '0x30'), said('kvm_emulate_halt', 'nothing to do')]);
    expect(told.sentences).toContain('It read the VMCS field EXIT_REASON = 48 (EPT violation).');
  });
  test('keeps a VMX instruction that failed in the lead', () => {
    const failed: TraceEvent = {
      kind: 'vmx-instruction',
      name: 'VMWRITE',
      outcome: 'VMfailValid',
      error: 12,
      operands: [],
      checks: [],
    };
    const told = explainStep(step, [failed, said('init_vmcs', 'VMWRITE the controls')]);
    expect(told.title).toBe('Step 20 · VMWRITE: VMfailValid');
    expect(told.sentences.join(' ')).toContain('holds 12');
  });
  test('executes VMPTRLD under its own name', () => {
    const load: TraceEvent = {
      kind: 'vmx-instruction',
      name: 'VMPTRLD',
      outcome: 'VMsucceed',
      error: undefined,
      operands: [],
      checks: [],
    };
    expect(explainStep(step, [load, said('vmx_vcpu_create', 'VMPTRLD 0x5000')]).title).toBe(
      'Step 20 · vmx_vcpu_create executes VMPTRLD',
    );
  });
  test('that answers an exit says who answers', () => {
    const handled: TraceEvent = {kind: 'exit-handled', reason: 30, route: 'user-space', why: 'no device in the kernel'};
    expect(explainStep(step, [handled, said('handle_io', 'OUT')]).title).toBe(
      'Step 20 · handle_io: only user space can answer',
    );
  });
});
