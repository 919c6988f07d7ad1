/* Stochastic gradient descent on 2-2-3-2 of [HH], sigmoid throughout, 1/2 the squared error, one example a step, float32. */
#include <math.h>
#include <stdint.h>

static inline float sigma(float z) { return 1.0f / (1.0f + expf(-z)); }

/* p holds W2 b2 W3 b3 W4 b4, each W (out, in). */
void descend(const float *X, const float *Y, int N, int steps, float eta, uint32_t seed, float *restrict p)
{
    uint64_t state = seed * 2654435769u + 88172645463325252ull;
    for (int step = 0; step < steps; step++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        int row = (int)(((state >> 32) * (uint64_t)N) >> 32);
        const float *x = X + 2 * row, *y = Y + 2 * row;
        float a1[2], a2[3], a3[2], d1[2], d2[3], d3[2];
        float *W1 = p, *b1 = p + 4, *W2 = p + 6, *b2 = p + 12, *W3 = p + 15, *b3 = p + 21;
        for (int j = 0; j < 2; j++) a1[j] = sigma(W1[2 * j] * x[0] + W1[2 * j + 1] * x[1] + b1[j]);
        for (int j = 0; j < 3; j++) a2[j] = sigma(W2[2 * j] * a1[0] + W2[2 * j + 1] * a1[1] + b2[j]);
        for (int j = 0; j < 2; j++)
            a3[j] = sigma(W3[3 * j] * a2[0] + W3[3 * j + 1] * a2[1] + W3[3 * j + 2] * a2[2] + b3[j]);
        for (int j = 0; j < 2; j++) d3[j] = eta * (a3[j] - y[j]) * a3[j] * (1 - a3[j]);
        for (int j = 0; j < 3; j++) d2[j] = (W3[j] * d3[0] + W3[3 + j] * d3[1]) * a2[j] * (1 - a2[j]);
        for (int j = 0; j < 2; j++)
            d1[j] = (W2[j] * d2[0] + W2[2 + j] * d2[1] + W2[4 + j] * d2[2]) * a1[j] * (1 - a1[j]);
        for (int j = 0; j < 2; j++) {
            for (int k = 0; k < 3; k++) W3[3 * j + k] -= d3[j] * a2[k];
            b3[j] -= d3[j];
        }
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 2; k++) W2[2 * j + k] -= d2[j] * a1[k];
            b2[j] -= d2[j];
        }
        for (int j = 0; j < 2; j++) {
            for (int k = 0; k < 2; k++) W1[2 * j + k] -= d1[j] * x[k];
            b1[j] -= d1[j];
        }
    }
}
