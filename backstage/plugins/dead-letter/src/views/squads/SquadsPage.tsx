/** TODO */
export function SquadsPage() {
  return <>SquadsPage</>;
}
