import {expect, test} from 'vitest';
import {sentence, someOf} from './explanation.js';

test.each([
  ['the guest has memory', 'The guest has memory.'],
  ['kvm_run is mapped', 'kvm_run is mapped.'],
  ['alloc_vmcs: a page at HPA 0x5000', 'alloc_vmcs: a page at HPA 0x5000.'],
  ['open("/dev/kvm"), then more', 'open("/dev/kvm"), then more.'],
  ['ioctl(KVM_RUN): run the guest', 'ioctl(KVM_RUN): run the guest.'],
  ['r8 changed', 'r8 changed.'],
])('%s becomes the sentence %s', (phrase, expected) => expect(sentence(phrase)).toBe(expected));

test('a long list names some and counts the rest', () => {
  expect(someOf(['a', 'b', 'c'], 3)).toBe('a, b, c');
  expect(someOf(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
});
