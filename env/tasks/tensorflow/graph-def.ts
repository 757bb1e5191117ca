/**
 * TensorFlow's graphs as bytes: the few fields of its protocol buffers that we write.
 *
 * @see https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/protobuf/saved_model.proto, and of
 *      ../framework graph.proto, node_def.proto, attr_value.proto, tensor.proto
 */

/** Values of DataType in types.proto. */
const FLOAT = 1;
const INT32 = 3;

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 0x7f; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return [...bytes, value];
}

const whole = (field: number, value: number) => Buffer.from([...varint(field << 3), ...varint(value)]);

function bytes(field: number, ...content: (Uint8Array | string)[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(body.length)]), body]);
}

const shapeOf = (shape: readonly number[]) => Buffer.concat(shape.map((size) => bytes(2, whole(1, size))));

/** Values of a node's attributes, by their kind. */
export const attribute = {
  float32: whole(6, FLOAT),
  int32: whole(6, INT32),
  flag: (value: boolean) => whole(5, Number(value)),
  whole: (value: number) => whole(3, value),
  wholes: (values: readonly number[]) => bytes(1, bytes(3, Buffer.from(values.flatMap(varint)))),
  text: (value: string) => bytes(2, value),
  shape: (shape: readonly number[]) => bytes(7, shapeOf(shape)),
  real: (value: number) => Buffer.from([(4 << 3) | 5, ...new Uint8Array(Float32Array.of(value).buffer)]),
  numbers: (values: Float32Array, shape: readonly number[]) => tensor(FLOAT, shape, values),
  floats: (values: readonly number[]) => tensor(FLOAT, [values.length], Float32Array.from(values)),
  integers: (values: readonly number[]) => tensor(INT32, [values.length], Int32Array.from(values)),
  integer: (value: number) => tensor(INT32, [], Int32Array.of(value)),
};

function tensor(type: number, shape: readonly number[], values: Float32Array | Int32Array): Buffer {
  return bytes(
    8,
    whole(1, type),
    bytes(2, shapeOf(shape)),
    bytes(4, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)),
  );
}

/** A node of a graph, its inputs in the form `node:output`. */
export function nodeDef(
  name: string,
  op: string,
  inputs: readonly string[],
  attributes: Record<string, Buffer>,
): Buffer {
  const entries = Object.entries(attributes).map(([key, value]) => bytes(5, bytes(1, key), bytes(2, value)));
  return bytes(1, bytes(1, name), bytes(2, op), ...inputs.map((input) => bytes(3, input)), ...entries);
}

/** The tag under which {@link savedModel} keeps its graph. */
export const TAG = 'train';

/** The content of a saved_model.pb with one graph. */
export function savedModel(nodes: readonly Buffer[]): Buffer {
  return Buffer.concat([whole(1, 1), bytes(2, bytes(1, bytes(4, TAG)), bytes(2, ...nodes))]);
}
