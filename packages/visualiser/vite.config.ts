// The page and its worker as static files that work from any folder, offline, without a server of ours.

import {defaultClientConditions, defineConfig} from 'vite';

/** Data and pure functions: of these a page carries only the modules whose exports it uses. */
const PURE = /packages\/(?:assembler|base|guests|isa|machine|simulation|trace|vmm|walkthroughs)\/src\//;
const treeshake = {moduleSideEffects: (id: string) => !PURE.test(id)};

/** What every run needs, in one file that compresses well: the processor without SVM, KVM without its AMD half, the record and its words. */
const CORE =
  /packages\/(?:base|isa|machine|trace\/src\/(?:change|explain|record|state)|vmm\/src\/kvm-role|simulation\/src\/session)\//;
const NOT_CORE =
  /\/(?:svm|inspect)\/|\/(?:assemble[\w-]*|breakpoint-run|micro-steps|session-finds|trace-search|entry-doctor|footprint|kvm-shadow|lineup|open-recording|playback-session|seeded-numbers|tlb-view|virtualization|vtx-shadow)\.ts$/;
const codeSplitting = {groups: [{name: 'core', test: (id: string) => CORE.test(id) && !NOT_CORE.test(id)}]};

export default defineConfig({
  base: './',
  resolve: {conditions: ['@hyperscope/source', ...defaultClientConditions]},
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    modulePreload: {polyfill: false},
    rolldownOptions: {treeshake},
  },
  worker: {format: 'es', rolldownOptions: {treeshake, output: {codeSplitting}}},
});
