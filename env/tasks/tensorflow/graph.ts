/** Operations that are recorded as a graph of TensorFlow; session.ts runs it as a whole. */
import { attribute, nodeDef } from './graph-def.ts';
import { BATCH_NORM_EPSILON, type LinearMap, type Normalised, type Operations, type Resampling } from './operations.ts';

/** An output of a node. */
export interface Value {
  /** `node:output` */
  readonly name: string;
  readonly shape: readonly number[];
}

const { float32, int32, flag, whole, wholes, text, real } = attribute;
const T = { T: float32 };
const NHWC = { data_format: text('NHWC') };

const product = (sizes: readonly number[]) => sizes.reduce((all, size) => all * size, 1);
/** The shape of images as a matrix with one row for each pixel. */
const rowsOf = (shape: readonly number[]) => [product(shape.slice(0, -1)), shape.at(-1)!];

export class Graph implements Operations<Value> {
  /** The encoded nodes, in the order in which they were added. */
  readonly nodes: Buffer[] = [];
  /** The names of the values that are computed before {@link turn}. */
  private readonly before = new Set<string>();
  private readonly needed = new Map<string, Value>();
  private turned = false;

  /** Adds a value that is fed at each run. */
  input(name: string, shape: readonly number[]): Value {
    this.nodes.push(nodeDef(name, 'Placeholder', [], { dtype: float32, shape: attribute.shape(shape) }));
    return { name: `${name}:0`, shape };
  }

  /** Adds numbers that never change, such as trained weights. */
  fixed(numbers: Float32Array, shape: readonly number[]): Value {
    const name = `n${this.nodes.length}`;
    this.nodes.push(nodeDef(name, 'Const', [], { dtype: float32, value: attribute.numbers(numbers, shape) }));
    return { name: `${name}:0`, shape };
  }

  /** Convolution with any stride, 'same' padding and a bias. @param filter [size, size, in, out] */
  stridedConvolution(x: Value, filter: Value, bias: Value, stride: number): Value {
    const shape = [...strided(x.shape, stride), filter.shape[3]!];
    return this.addBias(this.operation('Conv2D', [x, filter], convolutionAttributes(1, stride), shape), bias);
  }

  /** Begins the second part of the graph. It runs on its own, and is fed with what it needs of the first part. */
  turn(): void {
    this.turned = true;
  }

  /** The values of the first part that the part after {@link turn} needs. */
  get carried(): Value[] {
    return [...this.needed.values()];
  }

  /** Cuts a vector into tensors of these shapes. */
  split(vector: Value, shapes: readonly (readonly number[])[]): Value[] {
    const sizes = shapes.map(product);
    const inputs = [vector, this.constant('integers', sizes), this.constant('integer', 0)];
    const attributes = { ...T, Tlen: int32, num_split: whole(sizes.length) };
    const parts = this.operations('SplitV', inputs, attributes, ...sizes.map((size) => [size]));
    return parts.map((part, i) => this.reshape(part, shapes[i]!));
  }

  /** The numbers of all tensors as one vector. */
  join(values: readonly Value[]): Value {
    const vectors = values.map((value) => this.reshape(value, [product(value.shape)]));
    const inputs = [...vectors, this.constant('integer', 0)];
    const attributes = { ...T, N: whole(values.length), Tidx: int32 };
    return this.operation('ConcatV2', inputs, attributes, [vectors.reduce((sum, { shape }) => sum + shape[0]!, 0)]);
  }

  convolution(x: Value, filter: Value, dilation: number): Value {
    const [size, , inChannels, outChannels] = filter.shape as [number, number, number, number];
    const shape = [...x.shape.slice(0, 3), outChannels];
    if (size > 1) return this.operation('Conv2D', [x, filter], convolutionAttributes(dilation), shape);
    const matrix = this.reshape(filter, [inChannels, outChannels]);
    return this.reshape(this.product(this.reshape(x, rowsOf(x.shape)), matrix), shape);
  }

  convolutionInputGradient(dy: Value, filter: Value, dilation: number): Value {
    const [size, , inChannels, outChannels] = filter.shape as [number, number, number, number];
    const shape = [...dy.shape.slice(0, 3), inChannels];
    if (size > 1) {
      const inputs = [this.constant('integers', shape), filter, dy];
      return this.operation('Conv2DBackpropInput', inputs, convolutionAttributes(dilation), shape);
    }
    const matrix = this.reshape(filter, [inChannels, outChannels]);
    return this.reshape(this.product(this.reshape(dy, rowsOf(dy.shape)), matrix, 'second transposed'), shape);
  }

  convolutionFilterGradient(x: Value, dy: Value, size: number, dilation: number): Value {
    const shape = [size, size, x.shape[3]!, dy.shape[3]!];
    if (size > 1) {
      const inputs = [x, this.constant('integers', shape), dy];
      return this.operation('Conv2DBackpropFilter', inputs, convolutionAttributes(dilation), shape);
    }
    const [rows, slopes] = [this.reshape(x, rowsOf(x.shape)), this.reshape(dy, rowsOf(dy.shape))];
    return this.reshape(this.product(rows, slopes, 'first transposed'), shape);
  }

  depthwiseConvolution(x: Value, filter: Value, stride: number): Value {
    const shape = [...strided(x.shape, stride), x.shape[3]!];
    return this.operation('DepthwiseConv2dNative', [x, filter], convolutionAttributes(1, stride), shape);
  }

  depthwiseInputGradient(dy: Value, filter: Value, shape: readonly number[], stride: number): Value {
    const inputs = [this.constant('integers', shape), filter, dy];
    return this.operation('DepthwiseConv2dNativeBackpropInput', inputs, convolutionAttributes(1, stride), shape);
  }

  depthwiseFilterGradient(x: Value, dy: Value, size: number, stride: number): Value {
    const shape = [size, size, x.shape[3]!, 1];
    const inputs = [x, this.constant('integers', shape), dy];
    return this.operation('DepthwiseConv2dNativeBackpropFilter', inputs, convolutionAttributes(1, stride), shape);
  }

  relu6(x: Value): Value {
    return this.operation('Relu6', [x], T, x.shape);
  }

  relu6Gradient(dy: Value, y: Value): Value {
    return this.operation('Relu6Grad', [dy, y], T, y.shape);
  }

  batchNormRelu(z: Value, gamma: Value, beta: Value): Normalised<Value> {
    const none = this.constant('floats', []);
    const channels = gamma.shape;
    const [normal, mean, variance, ...saved] = this.operations(
      'FusedBatchNormV3',
      [z, gamma, beta, none, none],
      batchNormAttributes,
      ...[z.shape, channels, channels, channels, channels, channels],
    );
    return { y: this.operation('Relu', [normal!], T, z.shape), mean: mean!, variance: variance!, saved };
  }

  batchNormReluGradient(dy: Value, z: Value, gamma: Value, { y, saved }: Normalised<Value>): [Value, Value, Value] {
    const behindRelu = this.operation('ReluGrad', [dy, y], T, z.shape);
    const inputs = [behindRelu, z, gamma, ...saved];
    const shapes = [z.shape, gamma.shape, gamma.shape];
    return this.operations('FusedBatchNormGradV3', inputs, batchNormAttributes, ...shapes) as [Value, Value, Value];
  }

  addBias(x: Value, bias: Value): Value {
    return this.operation('BiasAdd', [x, bias], { ...T, ...NHWC }, x.shape);
  }

  biasGradient(dy: Value): Value {
    return this.operation('BiasAddGrad', [dy], { ...T, ...NHWC }, dy.shape.slice(-1));
  }

  add(a: Value, b: Value): Value {
    return this.operation('AddV2', [a, b], T, a.shape);
  }

  spaceToDepth(x: Value): Value {
    const [n, height, width, channels] = x.shape as [number, number, number, number];
    const shape = [n, height / 2, width / 2, channels * 4];
    return this.operation('SpaceToDepth', [x], { ...T, ...NHWC, block_size: whole(2) }, shape);
  }

  depthToSpace(x: Value): Value {
    const [n, height, width, channels] = x.shape as [number, number, number, number];
    const shape = [n, height * 2, width * 2, channels / 4];
    return this.operation('DepthToSpace', [x], { ...T, ...NHWC, block_size: whole(2) }, shape);
  }

  resample(x: Value, { rows, columns }: Resampling): Value {
    const [n, height, width, channels] = x.shape as [number, number, number, number];
    const tall = this.batchProduct(rows, this.reshape(x, [n, height, width * channels]));
    const lines = this.reshape(tall, [n * rows.to, width, channels]);
    return this.reshape(this.batchProduct(columns, lines), [n, rows.to, columns.to, channels]);
  }

  /** The map times each matrix of a batch. @param x [batch, from, length] */
  private batchProduct({ weights, to, from }: LinearMap, x: Value): Value {
    const attributes = { ...T, adj_x: flag(false), adj_y: flag(false) };
    const inputs = [this.fixed(weights, [1, to, from]), x];
    return this.operation('BatchMatMulV2', inputs, attributes, [x.shape[0]!, to, x.shape[2]!]);
  }

  private reshape(x: Value, shape: readonly number[]): Value {
    if (x.shape.join() === shape.join()) return x;
    return this.operation('Reshape', [x, this.constant('integers', shape)], { ...T, Tshape: int32 }, shape);
  }

  private product(a: Value, b: Value, which?: 'first transposed' | 'second transposed'): Value {
    const [first, second] = [which === 'first transposed', which === 'second transposed'];
    const attributes = { ...T, transpose_a: flag(first), transpose_b: flag(second) };
    return this.operation('MatMul', [a, b], attributes, [a.shape[first ? 1 : 0]!, b.shape[second ? 0 : 1]!]);
  }

  private constant(kind: 'integer', value: number): Value;
  private constant(kind: 'integers' | 'floats', values: readonly number[]): Value;
  private constant(kind: 'integer' | 'integers' | 'floats', value: number | readonly number[]): Value {
    const name = `n${this.nodes.length}`;
    const dtype = kind === 'floats' ? float32 : int32;
    this.nodes.push(nodeDef(name, 'Const', [], { dtype, value: attribute[kind](value as number & readonly number[]) }));
    return { name: `${name}:0`, shape: [] };
  }

  private operation(op: string, inputs: readonly Value[], attributes: Attributes, shape: readonly number[]): Value {
    return this.operations(op, inputs, attributes, shape)[0]!;
  }

  /** Adds a node. @returns its outputs, which have these shapes */
  private operations(
    op: string,
    inputs: readonly Value[],
    attributes: Attributes,
    ...shapes: (readonly number[])[]
  ): Value[] {
    const node = `n${this.nodes.length}`; // short: every name is read at every run
    const names = inputs.map(({ name }) => name);
    this.nodes.push(nodeDef(node, op, names, attributes));
    const outputs = shapes.map((shape, i) => ({ name: `${node}:${i}`, shape }));
    if (this.turned) for (const input of inputs) if (this.before.has(input.name)) this.needed.set(input.name, input);
    if (!this.turned) for (const { name } of outputs) this.before.add(name);
    return outputs;
  }
}

type Attributes = Readonly<Record<string, Buffer>>;

/** Number, height and width of images behind a convolution with 'same' padding. */
const strided = ([n, height, width]: readonly number[], stride: number) => [
  n!,
  Math.ceil(height! / stride),
  Math.ceil(width! / stride),
];

function convolutionAttributes(dilation: number, stride = 1): Attributes {
  const [strides, dilations] = [wholes([1, stride, stride, 1]), wholes([1, dilation, dilation, 1])];
  return { ...T, ...NHWC, strides, dilations, padding: text('SAME') };
}

const batchNormAttributes = { ...T, U: float32, ...NHWC, epsilon: real(BATCH_NORM_EPSILON), is_training: flag(true) };
