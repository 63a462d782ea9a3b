import {native} from '@hyperscope/native';
import {describe, expect, test} from 'vitest';
import {LAYOUT} from './kvm-layout.js';

// Where the addon is not built there is no compiler's answer to compare with.
describe.skipIf(native === undefined)("the layout of KVM's structures", () => {
  test('is what the C++ compiler says, entry by entry', () => {
    expect(native?.layout).toMatchObject(LAYOUT);
  });
});
