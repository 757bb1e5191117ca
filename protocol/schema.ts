import { z } from 'zod';
import { CLOSE_CODES, ERROR_CODES } from './errors.ts';
import { clientMessages, PROTOCOL_VERSION, serverMessages, SUBPROTOCOLS } from './messages.ts';

/** Every message as JSON Schema (2020-12), from the same source as the types. */
export function messageSchemas() {
  const schemasOf = (messages: Record<string, z.ZodType>) =>
    Object.fromEntries(
      Object.entries(messages).map(([type, schema]) => [type, z.toJSONSchema(schema, { io: 'input' })]),
    );
  return {
    protocol: PROTOCOL_VERSION,
    subprotocols: SUBPROTOCOLS,
    client: schemasOf(clientMessages),
    server: schemasOf(serverMessages),
    errors: ERROR_CODES,
    close: CLOSE_CODES,
  };
}
