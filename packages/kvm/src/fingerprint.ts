// What this host's KVM is, found out by what it does: a dozen tiny guests in about a tenth of a second. A module's name
// says little (and nothing about a KVM inside another hypervisor), so expectations are chosen by these answers.

import {readdirSync} from 'node:fs';
import {cpus, release} from 'node:os';
import {KVM_CAP} from './kvm-abi.js';
import {explained} from './kvm-error.js';
import {requireNative} from './kvm-virtual-machine.js';
import {PROBES, probeBench} from './fingerprint-probes.js';

/** The same shape as trace's: kvm stands below trace and may not import it. */
export interface HostFingerprint {
  /** 'kvm_intel', 'kvm_amd', 'kvm_pvm' or what /sys/module says. */
  readonly flavour: string;
  readonly kernel: string;
  readonly vendor: string;
  readonly apiVersion: number;
  /** The day, as 2026-11-22. */
  readonly recordedOn: string;
  /** Answers of the probes: {out_exit_rip: 'after', cpl3_step: 'guest-#DB', …}. */
  readonly probes: Readonly<Record<string, string | number | boolean>>;
}

/**
 * Probes the KVM of this host. Blocks for about 100 ms.
 * @throws UserError when there is none: ask probeKvm first.
 */
export function fingerprint(today = new Date()): HostFingerprint {
  const native = requireNative();
  const kvm = explained(() => new native.Kvm());
  try {
    const probes: Record<string, string | number | boolean> = {
      nested_state: kvm.checkExtension(KVM_CAP.NESTED_STATE),
      disable_exits: kvm.checkExtension(KVM_CAP.X86_DISABLE_EXITS),
      sync_regs: kvm.checkExtension(KVM_CAP.SYNC_REGS),
    };
    const bench = probeBench();
    try {
      for (const [name, probe] of PROBES) probes[name] = probe(bench);
    } finally {
      bench.machine.close();
    }
    return {
      flavour: flavour(),
      kernel: release(),
      vendor: cpus()[0]?.model ?? 'unknown',
      apiVersion: kvm.apiVersion(),
      recordedOn: today.toISOString().slice(0, 10),
      probes,
    };
  } finally {
    kvm.close();
  }
}

/** The loaded kvm_* module (or built-in part), by /sys/module. */
function flavour(): string {
  try {
    return (
      readdirSync('/sys/module')
        .filter(name => name.startsWith('kvm_'))
        .sort()
        .join('+') || 'kvm'
    );
  } catch {
    return 'kvm'; // no sysfs in this container: the probes still tell
  }
}
