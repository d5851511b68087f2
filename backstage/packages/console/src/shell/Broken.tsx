import { Alert, Container } from '@backstage/ui';
import { Component, PropsWithChildren } from 'react';

/** Says that a page broke, instead of showing nothing. */
export class Broken extends Component<
  PropsWithChildren<{}>,
  { error?: Error }
> {
  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  state: { error?: Error } = {};

  render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Container pt="8">
        <Alert
          role="alert"
          status="danger"
          icon
          title="This page is broken"
          description={`${error.message}. Reload the page. If it happens again, report it with its address.`}
        />
      </Container>
    );
  }
}
