import * as z from "zod";

/** The needs of a task, as answers have them. */
export const NeedsView = z
  .object({
    skills: z.array(z.string()),
    gpu_memory_mb: z.int().optional().meta({ description: "Free memory of one GPU of its host, in MB" }),
    labels: z.record(z.string(), z.string()).optional().meta({ description: "Labels of its host" }),
  })
  .optional()
  .meta({
    description: "What a worker must have to be given the task",
  });
