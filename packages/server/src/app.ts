// The server as a value: routes, headers and refusals, without a socket, so that tests can ask it directly.

import Fastify from 'fastify';
import type {FastifyError, FastifyInstance, FastifyReply} from 'fastify';
import {UserError} from '@hyperscope/base';
import {guardWithToken} from './access-token.js';
import type {KvmHost} from './kvm-host.js';
import {addKvmRoutes} from './kvm-routes.js';
import {KvmService} from './kvm-service.js';
import type {ServerLimits} from './limits.js';
import {ServerMetrics} from './metrics.js';
import {refuseOrigin} from './request-origin.js';
import {RunQueue} from './run-queue.js';
import {acceptSockets, addSessionRoute} from './session-route.js';
import {addSecurityHeaders, contentSecurityPolicy, inlineScriptHashes} from './security-headers.js';
import {readPages, serveFiles, serveNothingYet} from './static-files.js';

export interface AppOptions {
  /** Folder of the built page. */
  readonly pageFolder: string;
  readonly version: string;
  readonly kvm: KvmHost;
  /** Host names, beside `localhost` and plain addresses, by which this server may be called. */
  readonly names: readonly string[];
  readonly limits: ServerLimits;
  /** Who asks must show it; undefined where only this machine can ask. */
  readonly token: string | undefined;
  /** 'info' writes a line of JSON for each request and run, for a service; 'error' only our own mistakes. */
  readonly log: 'info' | 'error';
  /** Clients are told apart by what a proxy in front says of them, not by its own address. */
  readonly proxy: 'in-front' | 'none';
}

/** Status codes of the trouble a user can get into; everything else a user did is 400. */
const STATUS: Readonly<Record<string, number>> = {
  busy: 429,
  'unknown-guest': 404,
  'kvm-child-died': 502,
  timeout: 504,
  'too-many-runs': 429,
  'too-many-connections': 503,
  'too-large': 413,
  ENOENT: 503,
  EACCES: 503,
};

/** Bytes of a request that carries no image. */
const SMALL_BODY = 64 * 1024;

/** Builds the server; the caller listens, or injects requests. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: {level: options.log, stream: process.stderr, redact: ['req.headers.cookie', 'req.headers.authorization']},
    bodyLimit: SMALL_BODY,
    requestTimeout: 60_000,
    keepAliveTimeout: 5_000,
    // Who keeps a connection open must not keep the server from ending.
    forceCloseConnections: true,
    trustProxy: options.proxy === 'in-front',
  });
  await acceptSockets(app, options.limits);
  const pages = readPages(options.pageFolder);
  const isBuilt = pages.length > 0;
  addSecurityHeaders(app, contentSecurityPolicy([...new Set(pages.flatMap(inlineScriptHashes))]));
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerError(error, reply, () => request.log.error(error)),
  );
  app.addHook('onRequest', async (request, reply) => {
    if (!request.url.startsWith('/api/') && !request.url.startsWith('/metrics')) return undefined;
    const {host, origin, 'sec-fetch-site': site} = request.headers;
    const fetchSite = typeof site === 'string' ? site : undefined;
    const refusal = refuseOrigin({host, origin, fetchSite, names: options.names});
    return refusal === undefined ? undefined : reply.code(403).send({code: 'wrong-origin', message: refusal});
  });
  app.get('/healthz', async (_request, reply) => {
    const answer = options.kvm.answer();
    return reply.header('cache-control', 'no-store').send({
      status: 'ok',
      version: options.version,
      page: isBuilt,
      // What the host is concerns those who have the token: they ask /api/kvm.
      kvm: options.token === undefined ? answer : {available: answer.available},
    });
  });
  if (options.token !== undefined) guardWithToken(app, options.token);
  const {limits, kvm} = options;
  const queue = new RunQueue({atOnce: limits.runs, waiting: limits.queue});
  const service = new KvmService({kvm, queue, limits, metrics: new ServerMetrics(queue), clock: performance});
  addSessionRoute(app, service);
  addKvmRoutes(app, service);
  if (!isBuilt) serveNothingYet(app);
  else await serveFiles(app, options.pageFolder);
  return app;
}

/** A user's trouble is a code and a sentence; ours is logged with its stack, and the client learns only that it happened. */
function answerError(error: FastifyError, reply: FastifyReply, log: () => void): FastifyReply {
  if (error instanceof UserError) {
    const status = STATUS[error.code] ?? 400;
    if (status === 429) void reply.header('retry-after', '2');
    return reply.code(status).send({code: error.code, message: error.message});
  }
  const status = error.statusCode ?? 500;
  if (status >= 500) log();
  const message = status >= 500 ? 'Something in Hyperscope is wrong; the server printed what.' : `${error.message}.`;
  return reply.code(status).send({code: status >= 500 ? 'internal-error' : (error.code ?? 'bad-request'), message});
}
