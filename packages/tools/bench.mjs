// How fast the simulator steps, unrecorded and recorded, and how fast exits come out of real KVM.
// Figures are printed, never asserted: machines are noisy, so compare ratios inside one run.
//
//   node packages/tools/bench.mjs [rounds of the loop, default 20000]

import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

const built = name => new URL(`../${name}/dist/index.js`, import.meta.url);
if (!existsSync(built('simulation'))) {
  console.error('Nothing is built yet: run `npm start` or `npm test` once.');
  process.exit(1);
}
const {assemble} = await import(built('assembler').href);
const {SimulationHost, requireTechnique, loadRaw, NO_PORTS} = await import(built('simulation').href);
const {writeRecord} = await import(built('trace').href);

const rounds = Number(process.argv[2] ?? 20_000);
// Arithmetic, a load, a store, a call and a branch: eight instructions a round.
const source = `
        bits 64
        org 0x8000
        mov ecx, ${rounds}
again:  add eax, ecx
        mov [counter], eax
        xor ebx, [counter]
        shl ebx, 1
        call leaf
        dec ecx
        jnz again
        hlt
leaf:   ret
        align 8
counter: dq 0
`;
const assembly = assemble(source, {fileName: 'bench.asm'});
if (!assembly.ok) throw new Error(assembly.diagnostics.map(d => d.message).join('\n'));
const program = {
  id: 'bench',
  title: 'bench',
  bytes: assembly.bytes,
  loadAddress: 0x8000,
  mode: 'long',
  memoryMiB: 2,
  lines: [],
};

console.log(`Simulator, ${rounds} rounds of a loop of eight instructions in 64-bit mode, paging on:`);
for (const technique of ['bare', 'vtx-ept']) {
  const plain = measure(() => unrecorded(technique));
  const recorded = measure(() => recording(technique));
  const file = await writeRecord(recorded.record);
  print(`${technique}, stepping`, plain);
  print(
    `${technique}, recording`,
    recorded,
    `${((recorded.rate / plain.rate) * 100).toFixed(0)} % of stepping, ${(file.length / recorded.steps).toFixed(1)} bytes a step in a file`,
  );
}

console.log('\nReal KVM, exits through the addon against a plain loop in C++:');
const native = fileURLToPath(new URL('../../native/bench/exits.mjs', import.meta.url));
spawnSync(process.execPath, [native], {stdio: 'inherit'});

function unrecorded(technique) {
  const {image} = loadRaw(program.bytes, {
    name: 'bench',
    memoryBytes: 2 << 20,
    commandLine: '',
    modules: [],
    at: 0x8000,
    mode: 'long',
    set: {},
  });
  const run = requireTechnique(technique).start({image, ports: NO_PORTS, profile: undefined, costModel: undefined});
  let steps = 0;
  while (run.step().outcome === undefined) steps++;
  return {steps};
}
function recording(technique) {
  const session = new SimulationHost().open({guest: program, technique});
  let moment = session.run(10_000);
  while (!moment.finished) moment = session.run(10_000);
  return {steps: moment.length, record: session.record};
}
function measure(work) {
  const start = performance.now();
  const {steps, record} = work();
  const seconds = (performance.now() - start) / 1000;
  return {steps, rate: steps / seconds, seconds, record};
}
function print(what, {steps, rate, seconds}, remark = '') {
  console.log(
    `  ${what.padEnd(20)} ${(rate / 1e6).toFixed(3)} million steps a second (${steps} in ${seconds.toFixed(2)} s) ${remark}`,
  );
}
