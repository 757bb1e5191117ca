import { isIP } from 'node:net';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { shown } from '../../protocol/errors.ts';
import { codecOf } from '../../protocol/codec.ts';
import { SUBPROTOCOLS } from '../../protocol/messages.ts';
import { needsToken, rolesOf, type Tokens } from './roles.ts';

export interface UpgradeRules {
  readonly tokens: Tokens;
  /** The origins of web pages that may connect. Programs send no Origin, and need none. */
  readonly origins: readonly string[];
  /** The name or address that the server listens on. */
  readonly host: string;
  /** Whether the server has as many connections as it takes. */
  readonly full: boolean;
}

/** The token in `Authorization: Bearer …`. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** The subprotocols that a client offers, the preferred one first. */
function offeredSubprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'] ?? '';
  return header.split(',').map((offer) => offer.trim());
}

/**
 * Why a request is refused that names another server; undefined when it is accepted.
 *
 * A page of the web can give its own name the address of this machine (DNS rebinding), and then a browser lets it read what
 * a server without a token shows. It cannot make the browser say another name than the page's own.
 */
export function foreignHost(
  { headers: { host = '' } }: IncomingMessage,
  { tokens, host: own }: Pick<UpgradeRules, 'tokens' | 'host'>,
): string | undefined {
  if (needsToken(tokens)) return undefined;
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();
  if (name === 'localhost' || name === own.toLowerCase() || isIP(name) !== 0) return undefined;
  return `host: expected localhost, an address, or the name that this server listens on, got ${shown(host)}`;
}

/** Whether a request comes from the page that this server serves itself. */
export function isOwnOrigin({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin !== undefined && host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}

/** The HTTP status and a sentence that refuse an upgrade; undefined when it is accepted. */
export function refusal(request: IncomingMessage, rules: UpgradeRules): [status: number, reason: string] | undefined {
  const foreign = foreignHost(request, rules);
  if (foreign !== undefined) return [403, foreign];
  const { origin } = request.headers;
  if (origin !== undefined && !isOwnOrigin(request) && !rules.origins.includes(origin))
    return [403, `origin: expected one of this server's list, got ${shown(origin)}`];
  const given = bearerToken(request);
  if (given !== undefined && !rolesOf(rules.tokens, given).has('agent')) {
    return [401, 'authorization: expected the bearer token of this server'];
  }
  if (rules.full) return [503, 'connection: expected fewer at once; try again later'];
  if (!offeredSubprotocols(request).some((offer) => codecOf(offer))) {
    const known = Object.values(SUBPROTOCOLS).join(' or ');
    return [400, `sec-websocket-protocol: expected ${known}`];
  }
  return undefined;
}

export function refuse(socket: Duplex, [status, reason]: [number, string]): void {
  const body = `${reason}\n`;
  const head = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close', 'Content-Type: text/plain'];
  if (status === 503) head.push('Retry-After: 5');
  socket.end(`${[...head, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`);
}
