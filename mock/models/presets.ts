/** The metadata of Mistral 7B, which `llava` is also based on. */
const MISTRAL = {
  "general.architecture": "llama",
  "general.file_type": 2,
  "general.quantization_version": 2,
  "llama.attention.head_count": 32,
  "llama.attention.head_count_kv": 8,
  "llama.block_count": 32,
  "llama.context_length": 32_768,
  "llama.embedding_length": 4_096,
};

/**
 * Models with the shape of well-known ones.
 *
 * @module
 */

import { modelKey, parseModelName, requireModelName } from "./model_name.ts";
import { MEDIA_TYPE, type MockLayer, type MockModel } from "./models.ts";

/** A preset: a description that always lists its layers. */
export interface Preset extends MockModel {
  /** The layers, in the order in which they are pulled. */
  layers: readonly MockLayer[];
}

/** A layer of a preset. */
function layer(kind: string, size: number): MockLayer {
  return { mediaType: `${MEDIA_TYPE}${kind}`, size };
}

/** A parameter of a model as `/api/show` writes it, with the value in the 32nd column. */
function parameter(name: string, value: string | number): string {
  return `${name.padEnd(30)} ${JSON.stringify(value)}`;
}

function stopAt(...words: readonly string[]): string[] {
  return words.map((word) => parameter("stop", word));
}

const TENSORS = 453;

/** Long licenses are shortened to their title. */
const APACHE = "Apache License\nVersion 2.0, January 2004\nhttp://www.apache.org/licenses/";

/**
 * Models shaped like well-known ones: a few layers, one of which holds almost all of the bytes. `tiny` is for
 * quick tests. `tensors` has hundreds of small blobs, like models stored by tensor; with the dialect `v0.33`
 * it cannot be pulled, because that server lacks the runtime it needs. For the others, the API returns what
 * it returns for the real models, with shortened licenses and less metadata.
 */
export const presets: Readonly<Record<string, Preset>> = {
  "tiny": {
    name: "tiny",
    layers: [layer("model", 2_000_000), layer("template", 1_429), layer("params", 96)],
    details: {
      family: "llama",
      parameter_size: "3.2M",
      context_length: 2_048,
      embedding_length: 64,
    },
  },
  "llama3.2": {
    name: "llama3.2",
    layers: [
      layer("model", 2_019_377_376),
      layer("template", 1_429),
      layer("license", 7_711),
      layer("license", 6_016),
      layer("params", 96),
    ],
    details: { family: "llama", parameter_size: "3.2B", embedding_length: 3_072 },
    capabilities: ["completion", "tools"],
    model_info: {
      "general.architecture": "llama",
      "general.basename": "Llama-3.2",
      "general.file_type": 15,
      "general.finetune": "Instruct",
      "general.parameter_count": 3_212_749_888,
      "general.quantization_version": 2,
      "general.size_label": "3B",
      "general.type": "model",
      "llama.attention.head_count": 24,
      "llama.attention.head_count_kv": 8,
      "llama.block_count": 28,
      "llama.context_length": 131_072,
      "llama.embedding_length": 3_072,
    },
    license: "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT",
    parameters: stopAt("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>").join("\n"),
  },
  "mistral": {
    name: "mistral",
    layers: [
      layer("model", 4_113_289_152),
      layer("template", 801),
      layer("license", 11_356),
      layer("params", 30),
    ],
    details: {
      family: "llama",
      parameter_size: "7.2B",
      quantization_level: "Q4_0",
      context_length: 32_768,
    },
    capabilities: ["completion", "tools"],
    model_info: {
      ...MISTRAL,
      "general.parameter_count": 7_248_023_552,
    },
    license: APACHE,
    parameters: stopAt("[INST]", "[/INST]").join("\n"),
  },
  "llava": {
    name: "llava",
    layers: [
      layer("model", 4_108_916_384),
      layer("projector", 624_434_368),
      layer("license", 11_356),
      layer("template", 67),
      layer("params", 64),
    ],
    details: {
      family: "llama",
      families: ["llama", "clip"],
      parameter_size: "7B",
      quantization_level: "Q4_0",
      context_length: 32_768,
    },
    capabilities: ["completion", "vision"],
    model_info: {
      ...MISTRAL,
      "general.parameter_count": 7_241_732_096,
    },
    projector_info: {
      "clip.has_llava_projector": true,
      "clip.has_text_encoder": false,
      "clip.has_vision_encoder": true,
      "general.architecture": "clip",
    },
    license: APACHE,
    parameters: [parameter("num_ctx", 4_096), ...stopAt("</s>", "USER:", "ASSISTANT:")].join("\n"),
    template: "[INST] {{ if .System }}{{ .System }} {{ end }}{{ .Prompt }} [/INST]",
  },
  "nomic-embed-text": {
    name: "nomic-embed-text",
    layers: [layer("model", 274_290_656), layer("license", 11_357), layer("params", 17)],
    details: {
      family: "nomic-bert",
      parameter_size: "137M",
      quantization_level: "F16",
      context_length: 2_048,
      embedding_length: 768,
    },
    capabilities: ["embedding"],
    model_info: {
      "general.architecture": "nomic-bert",
      "general.file_type": 1,
      "general.parameter_count": 136_727_040,
      "nomic-bert.attention.causal": false,
      "nomic-bert.attention.head_count": 12,
      "nomic-bert.block_count": 12,
      "nomic-bert.context_length": 2_048,
      "nomic-bert.embedding_length": 768,
      "nomic-bert.pooling_type": 1,
    },
    license: APACHE,
    parameters: parameter("num_ctx", 8_192),
  },
  "deepseek-r1:671b": {
    name: "deepseek-r1:671b",
    layers: [
      layer("model", 404_430_186_368),
      layer("params", 148),
      layer("template", 387),
      layer("license", 1_065),
    ],
    details: {
      family: "deepseek2",
      parameter_size: "671.0B",
      context_length: 163_840,
      embedding_length: 7_168,
    },
    capabilities: ["completion", "thinking"],
    model_info: {
      "general.architecture": "deepseek2",
      "general.file_type": 15,
      "general.parameter_count": 671_026_419_200,
      "general.quantization_version": 2,
      "deepseek2.attention.head_count": 128,
      "deepseek2.attention.head_count_kv": 128,
      "deepseek2.block_count": 61,
      "deepseek2.context_length": 163_840,
      "deepseek2.embedding_length": 7_168,
      "deepseek2.expert_count": 256,
    },
    license: "MIT License",
    parameters: stopAt(
      "<｜begin▁of▁sentence｜>",
      "<｜end▁of▁sentence｜>",
      "<｜User｜>",
      "<｜Assistant｜>",
    ).join("\n"),
  },
  "tensors": {
    name: "tensors",
    layers: Array.from(
      { length: TENSORS },
      // Sizes that vary like those of real tensors: from thousands to tens of millions of bytes.
      (_, index) => layer("tensor", 4_096 * (1 + (index * 7_919) % 8_191)),
    ),
    details: { family: "llama", format: "safetensors", quantization_level: "nvfp4" },
  },
};

/** The preset that a name refers to, if any: `llama3.2` and `llama3.2:latest` are the same. */
export function presetNamed(name: string): MockModel | undefined {
  const parsed = parseModelName(name);
  if (!parsed) return undefined;
  return Object.values(presets).find((preset) =>
    modelKey(requireModelName(preset.name)) === modelKey(parsed)
  );
}
