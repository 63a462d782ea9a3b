// Who may use a server that other machines can reach: whoever has its token. The address that the lecturer gives out carries
// it once; from then on a cookie does. Scripts send it as a bearer token.

import {randomBytes, timingSafeEqual} from 'node:crypto';
import type {FastifyInstance, FastifyRequest} from 'fastify';

const COOKIE = 'hyperscope-token';
const YEAR = 365 * 24 * 3600;

/** A token that nobody guesses: 128 bits. */
export const newToken = (): string => randomBytes(16).toString('base64url');

function equals(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function cookieOf(header: string | undefined): string | undefined {
  const pairs = (header ?? '').split(';').map(pair => pair.trim().split('='));
  return pairs.find(([name]) => name === COOKIE)?.[1];
}

/** Whether a request shows the token, by its cookie or as a bearer. */
export function hasToken(request: Pick<FastifyRequest, 'headers'>, token: string): boolean {
  const {authorization, cookie} = request.headers;
  const bearer = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1];
  return [bearer, cookieOf(cookie)].some(given => given !== undefined && equals(given, token));
}

/** Paths that need the token: whatever does something, or tells about this machine. */
const isGuarded = (url: string): boolean => url.startsWith('/api/') || url.startsWith('/metrics');

/** Asks for the token where one is set. `/?token=…` gives the cookie and goes on to the page without it. */
export function guardWithToken(app: FastifyInstance, token: string): void {
  app.addHook('onRequest', async (request, reply) => {
    const url = new URL(request.url, 'http://here');
    const given = url.searchParams.get('token');
    if (request.method === 'GET' && given !== null && !isGuarded(url.pathname) && equals(given, token)) {
      url.searchParams.delete('token');
      return reply
        .header('set-cookie', `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${YEAR}`)
        .redirect(`${url.pathname}${url.search}`, 303);
    }
    if (!isGuarded(url.pathname) || hasToken(request, token)) return undefined;
    return reply.code(401).send({
      code: 'no-token',
      message: 'This server asks for a token: open it by the address that was given out, which ends in ?token=….',
    });
  });
}
