import {UserError} from '@hyperscope/base';
import {describe, expect, test} from 'vitest';
import {explainKvmError, explained} from './kvm-error.js';

const failure = (syscall: string, code: string): Error =>
  Object.assign(new Error(`${code}: text, ${syscall}`), {code, errno: 22, syscall});

describe('explainKvmError', () => {
  test.each([
    ['KVM_SET_SREGS', 'EINVAL', /long mode needs PAE/],
    ['KVM_SET_USER_MEMORY_REGION', 'EEXIST', /overlaps another slot/],
    ['KVM_GET_REGS', 'EBUSY', /vCPU is running/],
    ['KVM_NEW_CALL', 'ENOTTY', /does not know the call/],
  ])('says what %s %s means', (syscall, code, words) => {
    const error = explainKvmError(failure(syscall, code));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({code, message: expect.stringMatching(words)});
  });

  test("keeps the kernel's own words where it has none of its own", () =>
    expect(explainKvmError(failure('KVM_RUN', 'EXDEV'))).toMatchObject({
      message: expect.stringContaining('EXDEV: text'),
    }));

  test('leaves other exceptions as they are', () => {
    const ours = new TypeError('argument 1');
    expect(() =>
      explained(() => {
        throw ours;
      }),
    ).toThrow(ours);
  });
});
