/** An intent as a file holds it. @param n - its number, or a name of its own */
export function intent(n: number | string): object {
  return { id: `intent-${n}`, type: "question", data: { question: `What about ${n}?` } };
}
