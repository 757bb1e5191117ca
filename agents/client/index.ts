/**
 * The client: environments of a server in another process, as objects with `reset` and `step`.
 *
 *     import { connect } from 'learning-to-simulate/client';
 *
 *     const client = await connect('ws://127.0.0.1:7077');
 *     const environment = await client.open({ env_id: 'TrafficSegmentation-v0' });
 *     const { reward } = await environment.evaluate({ params: { fog: 0.01, weather: [0, 0, 0, 1] } });
 *     await client.close();
 */
export { connect, type Client, type ConnectOptions } from './client.ts';
export { ConnectionError } from './server-connection.ts';
export { ProtocolError } from '../../protocol/errors.ts';
export type { RemoteEnvironment, SessionTicket, StepOptions } from './remote-environment.ts';
export type { Environment, StepRequest, StepResult } from '../../protocol/environment.ts';
export type { Limits, Progress, Result, Seeds, Specification } from '../../protocol/messages.ts';
export type { Parameter, Theta } from '../../protocol/parameters.ts';
