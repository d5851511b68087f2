/** TODO */
export function ServiceTab() {
  return <>ServiceTab</>;
}
