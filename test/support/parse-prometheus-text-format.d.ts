declare module 'parse-prometheus-text-format' {
  export interface Family {
    readonly name: string;
    readonly type: string;
    readonly help: string;
    readonly metrics: readonly { readonly value?: string; readonly labels?: Readonly<Record<string, string>> }[];
  }

  function parse(page: string): Family[];

  // biome-ignore lint/style/noDefaultExport: the package has one
  export { parse as default };
}
