export {createApp, type AppOptions} from './app.js';
export {type KvmAnswer, type KvmHost, type KvmLimits, type KvmProgram} from './kvm-host.js';
export {serve, type RunningServer, type ServeOptions} from './serve.js';
