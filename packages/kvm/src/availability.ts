// Whether guests can run on real KVM here, and if not, why and what to do. Never throws, on any machine.

import {accessSync, constants, existsSync, statSync} from 'node:fs';
import {native, reason} from '@hyperscope/native';
import {UserError, assertExists} from '@hyperscope/base';
import {KVM_API_VERSION} from './kvm-abi.js';
import {fingerprint} from './fingerprint.js';
import type {HostFingerprint} from './fingerprint.js';
import {explainKvmError, isNativeError} from './kvm-error.js';

export type KvmAvailability =
  | {readonly available: true; readonly fingerprint: HostFingerprint}
  | {
      readonly available: false;
      /** ENOENT, EACCES, EBUSY, EPLATFORM, ENOADDON, ENOCOMPILER, SKIPPED, EVERSION, … */
      readonly code: string;
      /** One sentence that says what is wrong and what to do. */
      readonly message: string;
    };

const DEVICE = '/dev/kvm';

/** Opens the device and runs the fingerprint, about 100 ms. */
export function probeKvm(): KvmAvailability {
  const missing = whyMissing();
  if (missing !== undefined) return missing;
  try {
    return {available: true, fingerprint: fingerprint()};
  } catch (error) {
    return {available: false, ...describe(error)};
  }
}

/** The reason why KVM cannot be used, without running a guest (under 1 ms); undefined when it seems usable. */
export function whyMissing(device: string = DEVICE): Extract<KvmAvailability, {available: false}> | undefined {
  if (native === undefined) {
    const {code, message} = assertExists(reason, 'index.js of native gives the addon or a reason');
    return {available: false, code, message};
  }
  try {
    const kvm = new native.Kvm(device);
    const version = kvm.apiVersion();
    kvm.close();
    if (version === KVM_API_VERSION) return undefined;
    return {
      available: false,
      code: 'EVERSION',
      message: `KVM's API has version ${version} here, not ${KVM_API_VERSION}: update the kernel.`,
    };
  } catch (error) {
    return {available: false, ...openFailure(device, error)};
  }
}

function openFailure(device: string, error: unknown): {readonly code: string; readonly message: string} {
  if (!isNativeError(error)) return describe(error);
  switch (error.code) {
    case 'ENOENT':
      return {code: 'ENOENT', message: `There is no ${device}: ${whyNoDevice()}`};
    case 'ENODEV':
    case 'ENXIO':
      return {
        code: error.code,
        message: `${device} is there, but no KVM answers behind it: load kvm_intel or kvm_amd with modprobe.`,
      };
    case 'EACCES':
    case 'EPERM':
      return {code: error.code, message: `Cannot open ${device}: ${whyNoAccess(device)}`};
    case 'ENOTTY':
      return {code: 'ENOTTY', message: `${device} is not a KVM device: it does not answer KVM_GET_API_VERSION.`};
    default:
      return {code: error.code, message: `Cannot open ${device}: ${error.message}.`};
  }
}

function whyNoDevice(): string {
  if (existsSync('/.dockerenv')) return 'start the container with --device /dev/kvm.';
  return existsSync('/sys/module/kvm')
    ? 'the kernel has KVM, so the device was not passed into this container or is not created by udev.'
    : 'load the module (modprobe kvm_intel or kvm_amd) after switching on virtualization in the firmware; in a virtual machine, nested virtualization must be on.';
}

function whyNoAccess(device: string): string {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return 'the permissions allow it, so a security policy forbids it.';
  } catch {
    const group = groupOf(device);
    return `you may not use it. Add yourself to the group that owns it (sudo usermod -aG kvm $USER${group}) and log in again.`;
  }
}

function groupOf(device: string): string {
  try {
    const {gid, mode} = statSync(device);
    return (mode & 0o060) === 0o060
      ? ` if group ${gid} is kvm`
      : '; its mode does not let a group in yet: sudo chmod 660';
  } catch {
    return '';
  }
}

function describe(error: unknown): {readonly code: string; readonly message: string} {
  const explained = explainKvmError(error);
  if (explained instanceof UserError) return {code: explained.code, message: explained.message};
  return {
    code: 'EKVM',
    message: `KVM does not work here: ${explained instanceof Error ? explained.message : String(explained)}`,
  };
}
