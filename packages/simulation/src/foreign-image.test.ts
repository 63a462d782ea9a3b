// A file that somebody drops on the lab runs as it is, or says what it would have to be.

import {expect, test} from 'vitest';
import {findGuest} from '@hyperscope/guests';
import {SimulationHost} from './simulation-host.js';
import {SHIPPED, loadGuest, requireGuest} from './shipped.js';

/** The boot sector that ships, with its mark. */
function bootSector(): Uint8Array {
  const {assembly} = loadGuest(requireGuest('hello-real'));
  const sector = new Uint8Array(512);
  sector.set(assembly.bytes.subarray(0, 510));
  sector.set([0x55, 0xaa], 510);
  return sector;
}

test.each(['bare', 'vtx-ept', 'svm-npt', 'trap-and-emulate', 'binary-translation'])(
  'a boot sector runs on %s',
  async technique => {
    const host = new SimulationHost(SHIPPED);
    const {id, what} = await host.addImage('mine.img', bootSector());
    expect(what).toBe('boot sector');
    const session = host.open({technique, guest: id});
    session.run(20_000);
    const moment = session.moment();
    expect(moment.serial).toBe(findGuest('hello-real')?.expectedSerial);
    expect(moment.header.guest).toMatchObject({id, title: 'mine.img'});
    expect(host.switches(technique, id).length).toBeGreaterThan(0);
  },
);

test('the same file twice is one guest, two files are two', async () => {
  const host = new SimulationHost(SHIPPED);
  const first = await host.addImage('a.img', bootSector());
  expect((await host.addImage('a.img', bootSector())).id).toBe(first.id);
  const other = bootSector();
  other[0] = 0x90;
  expect((await host.addImage('b.img', other)).id).not.toBe(first.id);
});

test('a ported kernel’s hypervisor refuses it, and what is no image says what it would have to be', async () => {
  const host = new SimulationHost(SHIPPED);
  const {id} = await host.addImage('mine.img', bootSector());
  expect(() => host.open({technique: 'paravirtual', guest: id})).toThrow(/ported/);
  await expect(host.addImage('notes.txt', new TextEncoder().encode('hello'))).rejects.toThrow(
    /no boot sector .* no multiboot kernel/,
  );
  await expect(host.addImage('disk.img', new Uint8Array(17 * 2 ** 20))).rejects.toThrow(/larger than 16 MiB/);
});
