// Whether the header of a file can be believed: its shape, and sizes that this program is willing to allocate.

import {UserError} from '@hyperscope/base';
import type {RecordHeader} from '../record-format.js';
import {count, fields, isObject, list, oneOf, optional, scalar, text, values} from './shape.js';

/** The most bytes of guest state that a record may ask for: 2 GiB. */
const MOST_STATE_BYTES = 2 ** 31;

const extents = list(fields({gpa: count, offset: count, length: count}), 4096);

const stretch = fields({start: count, end: count});

const header = fields({
  format: oneOf('hyperscope-record'),
  engine: oneOf('simulated', 'kvm'),
  technique: text,
  guest: fields({id: text, title: text, sha256: text, loadAddress: count, bytes: count}),
  machine: optional(fields({profile: text, costModel: text, memoryBytes: count})),
  host: optional(
    fields({flavour: text, kernel: text, vendor: text, apiVersion: count, recordedOn: text, probes: values(scalar)}),
  ),
  irqchip: optional(oneOf('kernel')),
  cells: list(text, 4096),
  banks: list(fields({name: text, size: count}), 256),
  shadowPool: optional(stretch),
  guestMemory: optional(extents),
  virtualMachines: optional(list(fields({name: text, guestMemory: extents, window: count, shadowPool: stretch}), 4)),
});

function hasHeaderShape(value: unknown): value is RecordHeader {
  return header(value);
}

/** The header in `value`. UserErrors: not-a-record, record-newer, record-damaged, record-too-large. */
export function checkedHeader(value: unknown): RecordHeader {
  if (!isObject(value) || value['format'] !== 'hyperscope-record') {
    throw new UserError(
      'not-a-record',
      'This is not a Hyperscope record: its header does not say so. Give a file that “hyperscope record” wrote.',
    );
  }
  if (value['version'] !== 1) {
    throw new UserError(
      'record-newer',
      `This record has format version ${String(value['version'])}, and this program reads version 1. Update Hyperscope, or record the run again.`,
    );
  }
  if (!hasHeaderShape(value))
    throw new UserError('record-damaged', 'The header of this record is damaged. Record the run again.');
  const total = value.banks.reduce((sum, bank) => sum + bank.size, 0);
  if (total > MOST_STATE_BYTES) {
    throw new UserError(
      'record-too-large',
      `This record asks for ${total} bytes of machine state; at most ${MOST_STATE_BYTES} are allowed.`,
    );
  }
  const registers = value.banks.find(bank => bank.name === 'registers');
  if (registers === undefined || registers.size !== value.cells.length * 8) {
    throw new UserError(
      'record-damaged',
      'The header of this record names a different number of registers than it has room for. Record the run again.',
    );
  }
  return value;
}
