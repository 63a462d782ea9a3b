// Records every guest and the kernel of every card on this machine's KVM, for those who have none: packages/guests/recordings/*.kvm.hsr, labelled
// with what this KVM was seen to be. Run it after a guest changed, with everything built: node packages/tools/bless-recordings.mjs

import {spawnSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${root}packages/guests/recordings`;
const hyperscope = (...args) =>
  spawnSync(process.execPath, [`${root}packages/cli/bin/hyperscope.mjs`, ...args], {encoding: 'utf8'});

mkdirSync(folder, {recursive: true});
const listed = (...args) => {
  const {stdout, stderr} = hyperscope(...args, '--json');
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
};
// A guest that is a hypervisor runs on bare metal only. A run that KVM gave up is a recording, too: status 6.
const guests = listed('guests').filter(({needs}) => needs === undefined);
for (const {id} of [...guests, ...listed('card')]) {
  const {status, stderr: said} = hyperscope('record', id, '--on', 'kvm', '-o', `${folder}/${id}.kvm.hsr`);
  console.log(`${id}: ${said.trim().replaceAll(root, '').replaceAll('\n', '; ')}`);
  if (status !== 0 && status !== 6) process.exitCode = 1;
}
