// The addon in worker threads: Node unloads an addon with the last thread that loaded it, and ends threads whenever it
// likes. Each case is a process of its own, so that the main thread has not loaded the addon too.

import {spawnSync} from 'node:child_process';
import {describe, expect, test} from 'vitest';
import {skipKvmTests} from './skip-kvm-tests.js';

const ADDON = import.meta.resolve('@hyperscope/native');

/** A spinning guest, ready to run, as source text. */
const SPIN = `
  const kvm = new native.Kvm(); const vm = kvm.createVm(); const memory = vm.allocate(65536);
  vm.setUserMemoryRegion(0, 0, 0, 65536, memory);
  new Uint8Array(memory).set([0xeb, 0xfe], 0x1000);
  const vcpu = vm.createVcpu(0); const sregs = new Uint8Array(312);
  vcpu.getSregs(sregs); sregs.fill(0, 0, 8); sregs.fill(0, 12, 14); vcpu.setSregs(sregs);
  const regs = new BigUint64Array(18); regs[16] = 0x1000n; regs[17] = 2n; vcpu.setRegs(regs);`;

/** Runs a program that starts workers with \`worker(source)\`; what it prints. */
function output(main: string): {readonly text: string; readonly status: number | null; readonly signal: string | null} {
  const program = `
    import {Worker} from 'node:worker_threads'; import {setTimeout as sleep} from 'node:timers/promises'; import {once} from 'node:events';
    const worker = body => new Worker(new URL('data:text/javascript,' + encodeURIComponent(
      'import {native} from ${JSON.stringify(ADDON)}; import {parentPort} from "node:worker_threads";' + body)));
    const SPIN = ${JSON.stringify(SPIN)};
    ${main}`;
  const {stdout, stderr, status, signal} = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return {text: (stdout + stderr).trim(), status, signal};
}
const cleanly = (text: string): object => ({text, status: 0, signal: null});

describe.skipIf(skipKvmTests())('the addon in worker threads', {timeout: 30_000}, () => {
  test('survives the end of the only thread that loaded it, watchdog and all', () =>
    expect(
      output(`
      for (let i = 0; i < 3; i++) {
        const thread = worker(SPIN + 'parentPort.postMessage(vcpu.run(20)); vm.close();');
        const [result] = await once(thread, 'message');
        await once(thread, 'exit');
        console.log(result);
        await sleep(30);
      }`),
    ).toEqual(cleanly('2\n2\n2')));

  test('lets a thread be terminated while its vCPU runs on its own thread', () =>
    expect(
      output(`
      const thread = worker(SPIN + 'vcpu.runAsync(60000).catch(() => {}); parentPort.postMessage(vcpu.id); setInterval(() => {}, 1000);');
      await once(thread, 'message');
      await sleep(50);
      await thread.terminate();
      console.log('terminated');`),
    ).toEqual(cleanly('terminated')));

  test('is stopped by a kick from the main thread while the worker blocks inside KVM_RUN', () =>
    expect(
      output(`
      const {native} = await import(${JSON.stringify(ADDON)});
      const thread = worker(SPIN + 'parentPort.postMessage(vcpu.id); parentPort.postMessage(vcpu.run(60000)); vm.close();');
      const [id] = await once(thread, 'message');
      await sleep(50);
      console.log(native.kick(id));
      console.log((await once(thread, 'message'))[0]);
      await once(thread, 'exit');
      console.log(native.kick(id));`),
    ).toEqual(cleanly('true\n1\nfalse')));

  test('cannot be made to touch freed memory: what outlives its Vm stays mapped, what is closed is empty', () =>
    expect(
      output(`
      const {native} = await import(${JSON.stringify(ADDON)});
      const kvm = new native.Kvm();
      let memory = (() => new Uint8Array(kvm.createVm().allocate(1 << 20)))();
      for (let i = 0; i < 200; i++) { kvm.createVm().allocate(1 << 20); new Uint8Array(1 << 20); }
      memory.fill(7);
      console.log(memory[4096]);
      const vm = kvm.createVm();
      const ram = vm.allocate(4096);
      // Node 20 copies what must not be transferred, later ones throw: either way it stays here.
      try { structuredClone(ram, {transfer: [ram]}); } catch (error) { if (error.name !== 'DataCloneError') throw error; }
      console.log(ram.byteLength);
      vm.close(); vm.close();
      console.log(ram.byteLength);`),
    ).toEqual(cleanly('7\n4096\n0')));
});
