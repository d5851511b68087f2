/** TODO */
export function OperationsPage() {
  return <>OperationsPage</>;
}
