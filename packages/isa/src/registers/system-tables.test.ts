import {describe, expect, test} from 'vitest';
import {EXCEPTIONS, exceptionVector, hasErrorCode} from '../exceptions.js';
import {EXIT_REASONS, exitReasonName, exitReasonNumber, exitReasonTitle} from '../vmx/exit-reasons.js';
import {VMCS_FIELDS, vmcsField, vmcsFieldByEncoding} from '../vmx/vmcs-fields.js';
import {CELLS, cellIndex} from './cells.js';
import {fieldsOf} from './fields.js';
import {MSRS, msrAt, msrNumber} from './msrs.js';

describe('the tables of system state', () => {
  test('have every name and number once', () => {
    for (const names of [
      VMCS_FIELDS.map(f => f.name),
      VMCS_FIELDS.map(f => f.encoding),
      MSRS.map(m => m.number),
      MSRS.map(m => m.name),
      EXIT_REASONS.map(r => r.number),
      EXIT_REASONS.map(r => r.name),
      [...CELLS],
    ]) {
      expect(new Set<string | number>(names).size).toBe(names.length);
    }
  });

  test('a VMCS encoding tells width and area', () => {
    expect(vmcsField('GUEST_RIP')).toMatchObject({encoding: 0x681e, width: 'natural', area: 'guest'});
    expect(vmcsField('EPT_POINTER')).toMatchObject({encoding: 0x201a, width: 64, area: 'control'});
    expect(vmcsField('EXIT_REASON')).toMatchObject({encoding: 0x4402, width: 32, area: 'exit-information'});
    expect(vmcsField('HOST_TR_SELECTOR')).toMatchObject({encoding: 0x0c0c, width: 16, area: 'host'});
  });

  test('names agree with areas', () => {
    const wrong = VMCS_FIELDS.filter(field => field.name.startsWith('HOST_') !== (field.area === 'host'));
    expect(wrong.map(field => field.name)).toEqual([]);
  });

  test('only 64-bit fields have a high half', () => {
    expect(vmcsFieldByEncoding(0x201b)?.name).toBe('EPT_POINTER');
    expect(vmcsFieldByEncoding(0x681f)).toBeUndefined();
    expect(vmcsFieldByEncoding(0x0016)).toBeUndefined();
  });

  test('exit reasons have names and words', () => {
    expect(exitReasonName(30)).toBe('IO_INSTRUCTION');
    expect(exitReasonTitle(30)).toBe('I/O instruction');
    expect(exitReasonNumber('EPT_VIOLATION')).toBe(48);
    expect(exitReasonName(35)).toBe('RESERVED_35');
  });

  test('exceptions stand at their vectors, and these push error codes', () => {
    expect(EXCEPTIONS.map(exception => exception.vector)).toEqual(Array.from({length: 32}, (_, n) => n));
    expect(exceptionVector('#GP')).toBe(13);
    expect(EXCEPTIONS.filter(exception => hasErrorCode(exception.vector)).map(exception => exception.vector)).toEqual([
      8, 10, 11, 12, 13, 14, 17, 21,
    ]);
  });

  test('MSRs are found by name and number', () => {
    expect(msrNumber('IA32_EFER')).toBe(0xc000_0080);
    expect(msrAt(0x48b)?.name).toBe('IA32_VMX_PROCBASED_CTLS2');
    expect(msrAt(0x999)).toBeUndefined();
  });

  test('fields of one register do not overlap', () => {
    for (const cell of CELLS) {
      const bits = fieldsOf(cell).flatMap(field =>
        Array.from({length: field.high - field.low + 1}, (_, n) => field.low + n),
      );
      expect(new Set(bits).size, cell).toBe(bits.length);
    }
  });

  test('cells have indices in their order', () => expect(CELLS.map(cellIndex)).toEqual(CELLS.map((_, n) => n)));
});
