// Every device whose state the record follows, decoded, with what the last step changed. A device that nobody has written words
// for shows its bytes.

import {hexBytes} from '@hyperscope/base';
import type {Bank} from '@hyperscope/machine';
import type {DeviceContent} from '@hyperscope/trace';
import {CARD_DEVICES} from './card-device-words.js';
import {DEVICE_KINDS} from './device-words.js';
import type {DeviceKind} from './device-words.js';
import {found, nothing} from './looked-at.js';
import type {Found, LookedAt} from './looked-at.js';

/** Banks of the processor and of disks' contents. */
const NO_DEVICES: ReadonlySet<string> = new Set(['registers', 'memory', 'tlb', 'vector', 'disk', 'disk-1']);
const PROCESSORS = /^(mtrr|memory-type|machine-check|vmx|svm)/;
const MOST_BYTES = 16;
const KINDS: ReadonlyMap<string, DeviceKind> = new Map([...DEVICE_KINDS, ...CARD_DEVICES]);

export function deviceContents(
  {record}: LookedAt,
  banks: readonly Bank[],
  before: readonly Bank[],
): Found<readonly DeviceContent[]> {
  if (record.header.engine === 'kvm')
    return nothing(
      'A recording of real KVM holds registers and memory: its devices are those of this project’s own user space, or inside KVM.',
    );
  const devices = banks.filter(({name}) => !NO_DEVICES.has(name) && !PROCESSORS.test(name));
  const order = [...KINDS.keys()];
  const rank = (name: string): number => (order.includes(name) ? order.indexOf(name) : order.length);
  return found(
    devices
      .filter(({bytes}) => bytes.length > 0)
      .map(bank => deviceOf(bank, before.find(({name}) => name === bank.name)?.bytes ?? bank.bytes))
      .toSorted((a, b) => rank(a.name) - rank(b.name)),
  );
}

function deviceOf({name, bytes}: Bank, was: Uint8Array): DeviceContent {
  const kind = KINDS.get(name) ?? plain(name);
  const earlier = new Map(kind.rows(was).map(row => [row.name, row.value]));
  const rows = kind.rows(bytes).map(row => {
    const before = earlier.get(row.name);
    const changed = before !== row.value;
    return {...row, changed, was: changed ? before : undefined};
  });
  const changed = bytes.some((byte, at) => byte !== was[at]);
  return {name, title: kind.title, place: kind.place, size: bytes.length, changed, rows};
}

const plain = (name: string): DeviceKind => ({
  title: name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' '),
  place: '',
  rows: bank => [
    {
      name: 'state',
      value: `${hexBytes(bank.subarray(0, MOST_BYTES))}${bank.length > MOST_BYTES ? ' …' : ''}`,
      meaning: `${bank.length} bytes, as they lie in the record`,
    },
  ],
});
