import { Container, Link, Text } from '@backstage/ui';
import { FIRST_PAGE } from '../pages';

/** The address names no page. */
export function NotFound() {
  return (
    <Container pt="8">
      <Text as="h1" variant="title-medium">
        Not found
      </Text>
      <p>
        The console has no page at this address.{' '}
        <Link href={FIRST_PAGE.path}>Show the squads</Link>
      </p>
    </Container>
  );
}
