import '@testing-library/jest-dom';
import { configure } from '@testing-library/react';

// No test fails because a machine is slow.
configure({ asyncUtilTimeout: 60_000 });
jest.setTimeout(300_000);
